# shellcheck shell=sh
# kdiy_apt WORD...: apt-get, which asks nothing and has nothing restarted.
kdiy_apt() {
DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 NEEDRESTART_MODE=l apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 "$@"
}
# kdiy_apt_mend: takes up a run of dpkg that was cut short.
kdiy_apt_mend() {
ls /var/lib/dpkg/updates/[0-9]* >/dev/null 2>&1 || return 0
if kdiy_apt check >/dev/null 2>&1; then return 0; fi
echo 'taking up a run of dpkg that was cut short'
DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 dpkg --force-confdef --force-confold --configure -a || :
kdiy_apt --no-install-recommends --fix-broken install
}
# kdiy_apt_try PACKAGE...: what an installation would do, in kdiy_said.
kdiy_apt_try() {
kdiy_said=$(LC_ALL=C kdiy_apt install --no-install-recommends --allow-change-held-packages --simulate -- "$@" 2>/dev/null)
}
# kdiy_apt_install PACKAGE...: exit code 78 where apt would remove what nobody was
# shown.
kdiy_apt_install() {
kdiy_apt_mend
kdiy_apt_try "$@" || { kdiy_apt update; kdiy_apt_try "$@" || :; }
kdiy_lost=
for kdiy_gone in $(printf '%s\n' "$kdiy_said" | while read -r kdiy_verb kdiy_name _; do [ "$kdiy_verb" != Remv ] || echo "$kdiy_name"; done); do
  case " $* " in *" $kdiy_gone- "*) ;; *) kdiy_lost="$kdiy_lost $kdiy_gone" ;; esac
done
if [ -n "$kdiy_lost" ]; then
  echo "apt would also remove, which the plan did not show:$kdiy_lost. Nothing was installed or removed; where they are not needed, remove them yourself and run kdiy apply again" >&2
  return 78
fi
kdiy_apt install --no-install-recommends --allow-change-held-packages -- "$@"
}
# kdiy_hold PACKAGE...: prevents upgrades by others.
kdiy_hold() { apt-mark hold -- "$@" >/dev/null; }
