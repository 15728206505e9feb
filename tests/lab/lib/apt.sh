# shellcheck shell=bash
# A private apt configuration in the cache: the machine's own Debian sources
# plus deb-src. The machine's sources are read, never changed.

# The Debian sources of this machine, one "URI SUITE COMPONENTS" a line.
# apt knows them whatever their file format is.
# shellcheck disable=SC2016  # apt expands these, not the shell
debian_sources() {
    apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' \
        'Created-By: Packages' |
        awk -F'|' '$1 == "Debian" && $4 == "main" { print $2, $3, $4 }' | sort -u
}

# Sources for another system that reaches the mirror as this one does.
# write_sources FILE TYPE…
write_sources() {
    local file=$1 type
    shift
    for type; do
        debian_sources | sed "s|^|$type [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] |"
    done >"$file"
    [ -s "$file" ] || die "no Debian source known to apt; run apt-get update"
}

# How this machine's apt reaches its mirror: proxies, and date checks switched
# off for a mirror that is a snapshot.
apt_access() {
    apt-config dump | grep -E '^Acquire::(https?::(Proxy|CaInfo|Verify)|Check-)' || true
}

APT_PRIVATE=$CACHE/apt

private_apt_setup() {
    local dir=$APT_PRIVATE
    mkdir -p "$dir/sources.list.d" "$dir/lists/partial" "$dir/archives/partial"
    write_sources "$dir/sources.list" deb deb-src
    cat >"$dir/apt.conf" <<CONF
Dir::Etc::SourceList "$dir/sources.list";
Dir::Etc::SourceParts "$dir/sources.list.d";
Dir::State::Lists "$dir/lists";
Dir::Cache "$dir";
Dir::Cache::Archives "$dir/archives";
APT::Sandbox::User "root";
CONF
    private_apt update --quiet=2
}

private_apt() { APT_CONFIG=$APT_PRIVATE/apt.conf apt-get "$@"; }
