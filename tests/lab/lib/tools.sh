# shellcheck shell=bash
# The lab's own small Go programs.

make_tools() {
    local to=$1 work=$1.work name
    mkdir -p "$to" "$work/gopath/src/k8s.io"
    for name in pause probe fileserver; do
        lab_go "$work" build -ldflags '-s -w' -o "$to/$name" "$LAB_DIR/src/$name/main.go"
    done
    # crictl is built in the Kubernetes tree, which vendors a CRI client.
    kube_source "$work"
    mv "$work/kubernetes" "$work/gopath/src/k8s.io/kubernetes"
    mkdir "$work/gopath/src/k8s.io/kubernetes/cmd/crictl"
    cp "$LAB_DIR/src/crictl/main.go" "$work/gopath/src/k8s.io/kubernetes/cmd/crictl/"
    lab_go "$work" build -ldflags '-s -w' -o "$to/crictl" k8s.io/kubernetes/cmd/crictl
    rm -rf "$work"
}

lab_go() {
    local work=$1
    shift
    env GO111MODULE=off GOFLAGS='' CGO_ENABLED=0 GOPATH="$work/gopath" GOCACHE="$work/cache" \
        /usr/lib/go-1.19/bin/go "$@"
}
