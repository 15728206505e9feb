# shellcheck shell=sh
# Comes after download.sh, which sets kdiy_url; kdiy_tmp is the private folder
# of every step.
# shellcheck disable=SC2154
# kdiy_install_containerd: the archive that was downloaded as `file`; exit code 78 where
# it is another.
kdiy_install_containerd() {
tar -xzf "$kdiy_tmp/file" --no-same-owner -C "$kdiy_tmp"
if [ ! -x "$kdiy_tmp/bin/containerd" ] || [ ! -x "$kdiy_tmp/bin/containerd-shim-runc-v2" ]; then
echo "there are no bin/containerd and bin/containerd-shim-runc-v2 in $kdiy_url" >&2
exit 78
fi
install -d -m 0755 /usr/local/bin
install -m 0755 -t /usr/local/bin "$kdiy_tmp"/bin/*
}
kdiy_install_runc() {
install -D -m 0755 "$kdiy_tmp/file" /usr/local/sbin/runc
}
