# shellcheck shell=sh
# kdiy_certificates: certificates alone, also of files that have a key beside them.
kdiy_certificates() {
for f in /etc/kubernetes/pki/*.crt /etc/kubernetes/pki/etcd/*.crt /etc/etcd/pki/*.crt \
  /var/lib/kubelet/pki/kubelet.crt /var/lib/kubelet/pki/kubelet-client-current.pem \
  /var/lib/kubelet/pki/kubelet-server-current.pem /etc/haproxy/kdiy-ca.crt; do
[ -r "$f" ] || continue
echo "file $f"
sed -n '/^-----BEGIN CERTIFICATE-----/,/^-----END CERTIFICATE-----/p' "$f"
done
for f in /etc/kubernetes/*.conf; do
[ -r "$f" ] || continue
sed -n "s|^ *client-certificate-data: *|data $f |p" "$f"
done
}
