# shellcheck shell=sh
# kdiy_remove_old_policies FOLDER PATH: policies of before, which kdiy wrote and no
# process reads any more; all but this one.
kdiy_remove_old_policies() {
find "$1" -maxdepth 1 -type f -name 'policy-????????????????.yaml' ! -path "$2" -delete
}
