# Sourced by root inside a new mount namespace: gives the namespace accounts, /etc, /run and /var of its own, on top of the
# machine's, which stays as it is. Everything is gone with the namespace's last process.

# /run is empty; what is changed in /etc, /var and /usr/lib stays in memory.
private_mounts() {
  local resolver=
  [ ! -e /etc/resolv.conf ] || resolver=$(cat /etc/resolv.conf)
  mount -t tmpfs -o mode=0755 tmpfs /run
  mkdir -m 0700 /run/.upper
  mkdir -m 1777 /run/lock
  mkdir /run/home
  private_overlay /etc /var /usr/lib
  rm -f /etc/resolv.conf
  printf '%s\n' "$resolver" >/etc/resolv.conf
}

private_overlay() {
  local folder upper
  for folder in "$@"; do
    upper=/run/.upper/${folder//\//-}
    mkdir -p "$upper/up" "$upper/work"
    mount -t overlay overlay -o "lowerdir=$folder,upperdir=$upper/up,workdir=$upper/work" "$folder"
  done
}

# A /dev of its own, so that /dev/log can be anybody's.
private_dev() {
  local node dev=/run/.dev
  mkdir "$dev"
  mount -t tmpfs -o mode=0755 tmpfs "$dev"
  for node in null zero full random urandom tty ptmx; do
    touch "$dev/$node"
    mount --bind "/dev/$node" "$dev/$node"
  done
  mkdir "$dev/pts" "$dev/shm"
  mount --bind /dev/pts "$dev/pts"
  mount -t tmpfs -o mode=1777 tmpfs "$dev/shm"
  ln -s /proc/self/fd "$dev/fd"
  ln -s /proc/self/fd/0 "$dev/stdin"
  ln -s /proc/self/fd/1 "$dev/stdout"
  ln -s /proc/self/fd/2 "$dev/stderr"
  mount --move "$dev" /dev
  rmdir "$dev"
}

# Lets every account go to a file below folders that are root's alone, such as a checkout in /root.
private_reachable() {
  local path part folder parts
  for path in "$@"; do
    folder=
    IFS=/ read -ra parts <<<"$(dirname "$(realpath "$path")")"
    for part in "${parts[@]:1}"; do
      folder=$folder/$part
      if (((0$(stat -c %a "$folder") & 1) == 0)); then
        private_overlay "$folder"
        chmod o+x "$folder"
      fi
    done
  done
}

# The daemon's account and folders, and the programs as a package installs them: install_orrery <orrery> <orrery-launch>
# <orrery-session>. A program that is not there is left out.
install_orrery() {
  getent passwd orrery >/dev/null ||
    useradd --system --user-group --no-create-home --home-dir /var/lib/orrery --shell /usr/sbin/nologin orrery
  install -d -m 0755 /usr/lib/orrery /etc/orrery
  install -d -m 0700 -o orrery -g orrery /var/lib/orrery /run/orrery
  [ ! -e "$1" ] || { touch /usr/lib/orrery/orrery && mount --bind "$1" /usr/lib/orrery/orrery; }
  [ ! -e "$2" ] || install -m 4750 -g orrery "$2" /usr/lib/orrery/orrery-launch
  [ ! -e "$3" ] || install -m 0700 "$3" /usr/lib/orrery/orrery-session
  if [ -e etc/pam.d/orrery ]; then
    install -m 0644 etc/pam.d/orrery /etc/pam.d/orrery
  else
    printf '@include common-%s\n' auth account password session >/etc/pam.d/orrery
  fi
}
