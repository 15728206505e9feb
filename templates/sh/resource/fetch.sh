# shellcheck shell=sh
# kdiy_fetch URL FILE [WORD...]: by apt's own way to fetch, which knows apt's proxy;
# behind words such as `timeout 20`.
kdiy_fetch() {
kdiy_from=$1 kdiy_to=$2; shift 2
"$@" /usr/lib/apt/apt-helper -o Acquire::http::Timeout=60 -o APT::Sandbox::User=root download-file "$kdiy_from" "$kdiy_to"
}
