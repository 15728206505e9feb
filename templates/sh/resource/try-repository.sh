# shellcheck shell=sh
# kdiy_try, kdiy_key and kdiy_setting are set before.
# shellcheck disable=SC2154
if ! kdiy_apt update -o Dir::Etc::sourcelist="$kdiy_try" -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any; then
rm -f -- "$kdiy_try" "$kdiy_key"
echo "apt does not take the repository, for the reason above; $kdiy_setting.repository and $kdiy_setting.key say which it is" >&2
exit 100
fi
