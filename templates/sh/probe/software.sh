# shellcheck shell=sh
# The file is the host's own; kdiy_own and kdiy_trust are lists of options
# without blanks in them.
# shellcheck disable=SC1091,SC2086,SC2154
[ -r /etc/os-release ] && . /etc/os-release
# kdiy_open NAME LINE: lists of apt's own in the folder d, of the repository of one
# line, or of the host's own sources where there is none. A host that does not know
# yet whom to trust (no ca-certificates) reads https from anybody, as nothing is
# installed by it; but it shows nobody the password in a URL. What the host does after
# updates of its own lists (hooks) is left out: apt reads the file of -c last, after
# all of apt.conf.d.
kdiy_open() {
kdiy_trust=
if [ ! -s /etc/ssl/certs/ca-certificates.crt ]; then
  case $2 in *https://*@*) return 1 ;; esac
  kdiy_trust='-o Acquire::https::Verify-Peer=false -o Acquire::https::Verify-Host=false'
fi
d=$(mktemp -d) || return 1
mkdir -p "$d/lists/partial"
printf '#clear %s;\n' APT::Update::Pre-Invoke APT::Update::Post-Invoke APT::Update::Post-Invoke-Success > "$d/conf"
kdiy_own="-c $d/conf -o Dir::State::lists=$d/lists -o Dir::State::status=/dev/null -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root"
if [ -n "$2" ]; then
  printf '%s\n' "$2" | sed "s/{os}/${ID:-}/g; s/{codename}/${VERSION_CODENAME:-}/g" > "$d/list"
  kdiy_own="$kdiy_own -o Dir::Etc::sourcelist=$d/list -o Dir::Etc::sourceparts=-"
fi
kdiy_said=$(timeout 25 apt-get -q update $kdiy_own $kdiy_trust -o Acquire::Languages=none -o Acquire::Retries=0 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10 2>&1)
ls "$d"/lists/*Packages* >/dev/null 2>&1 && return 0
kdiy_said=$(printf '%s\n' "$kdiy_said" | grep '^[EW]:' | head -n 1 | cut -c 1-300)
echo "$1 unread ${kdiy_said:-no whole answer within 25 s}"
rm -rf -- "$d"
return 1
}
# kdiy_offers NAME LINE PACKAGE...: the versions of packages in a repository.
kdiy_offers() {
kdiy_open "$1" "$2" || return 0
kdiy_name=$1; shift 2
echo "$kdiy_name read"
apt-cache madison $kdiy_own -- "$@" 2>/dev/null | while IFS=' |' read -r p v _; do echo "$kdiy_name has $p $v"; done
rm -rf -- "$d"
}
kdiy_candidate() {
p=$1; shift
apt-cache policy "$@" -- "$p" 2>/dev/null | while read -r k v; do case $k in Candidate:) [ "$v" = '(none)' ] || echo "$v" ;; esac; done
}
# kdiy_runtime PACKAGE LINE: the version of one package, installed or not.
kdiy_runtime() {
v=$(dpkg-query -W -f '${db:Status-Status} ${Version}' -- "$1" 2>/dev/null)
case $v in "installed "*) echo "runtime $v"; return ;; esac
v=
[ -n "$2" ] || v=$(kdiy_candidate "$1")
if [ -z "$v" ]; then
  kdiy_open runtime "$2" || return 0
  v=$(kdiy_candidate "$1" $kdiy_own)
  rm -rf -- "$d"
fi
if [ -n "$v" ]; then echo "runtime candidate $v"; else echo "runtime none"; fi
}
# kdiy_wrote FILE LINE: whether kdiy wrote it, which its first line shows.
kdiy_wrote() {
[ -f "$1" ] && IFS= read -r l < "$1" && [ "$l" = "$2" ]
}
# kdiy_apt_files LINE FILE...: which of these kdiy wrote.
kdiy_apt_files() {
kdiy_notice=$1; shift
for f; do kdiy_wrote "$f" "$kdiy_notice" && echo "present apt $f"; done
}
# kdiy_present LINE PACKAGE...: what of runtimes is there.
kdiy_present() {
kdiy_notice=$1; shift
dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' -- "$@" 2>/dev/null | while read -r s p v; do [ "$s" != installed ] || echo "present package $p $v"; done
f=/etc/systemd/system/containerd.service
kdiy_wrote "$f" "$kdiy_notice" && sed -n 's/^# sha256 /present archive /p' "$f"
f=/etc/containerd/config.toml
kdiy_wrote "$f" "$kdiy_notice" && sed -n 's/^version = /present format /p' "$f"
}
# kdiy_kubernetes VERSION LINE PACKAGE...: the versions of packages in a repository,
# where one of them is not installed: all but cri-tools at
# this version.
kdiy_kubernetes() {
# One line for each package; = keeps not-installed apart.
kdiy_have=$(shift 2; dpkg-query -W -f '=${db:Status-Status} ${Package} ${Version}\n' -- "$@" 2>/dev/null)
kdiy_all=yes kdiy_version=$1-
kdiy_line=$2; shift 2
for p; do
[ "$p" != cri-tools ] || kdiy_version=
case $kdiy_have in *"=installed $p $kdiy_version"*) ;; *) kdiy_all= ;; esac
done
[ -n "$kdiy_all" ] || kdiy_offers kubernetes "$kdiy_line" "$@"
}
# kdiy_kubeadms MINOR LINE: the versions of kubeadm in a repository, where none of
# this minor version is installed.
kdiy_kubeadms() {
case $(dpkg-query -W -f '${db:Status-Status} ${Version}' kubeadm 2>/dev/null) in "installed $1."*) return ;; esac
kdiy_offers kubernetes "$2" kubeadm
}
# kdiy_side_by_side FUNCTION...: where there is apt. The whole look at a host has an
# end of its own.
kdiy_side_by_side() {
command -v apt-get >/dev/null || return 0
for f; do "$f" & done
wait
}
