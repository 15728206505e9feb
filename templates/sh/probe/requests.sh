# shellcheck shell=sh
# Comes after judge.sh and kubectl.sh, or the step's own.

# kdiy_requests: requests for serving certificates that wait: name, usages, groups,
# request, requestor.
kdiy_requests() {
kdiy_kubectl get certificatesigningrequests -o go-template='{{range .items}}{{if eq .spec.signerName "kubernetes.io/kubelet-serving"}}{{if not .status.conditions}}{{.metadata.name}} u-{{range .spec.usages}}{{if eq . "digital signature"}}d{{else if eq . "key encipherment"}}k{{else if eq . "server auth"}}s{{else}}x{{end}}{{end}} g-{{range .spec.groups}}{{if eq . "system:nodes"}}n{{end}}{{end}} {{.spec.request}} {{printf "%+q" .spec.username}}{{"\n"}}{{end}}{{end}}{{end}}' | head -c 1048576
}
# kdiy_judged: name, verdict and requestor of each.
kdiy_judged() {
kdiy_requests 2>/dev/null | while read -r n u g r w; do
echo "$n $(kdiy_judge "$u" "$g" "$r" "$w") $w"
done
}
