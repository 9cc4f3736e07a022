#!/bin/sh
# Installs, on Debian and its kin, what some tests talk to: promtool and prometheus,
# Alertmanager, redis, the emulator of ARM boards, and the toolchain of the firmware. Nothing is started, and
# what is there already stays as it is. Tests skip what is absent.
set -eu

if command -v rustup > /dev/null; then
    (cd "$(dirname "$0")/../firmware" && rustup --quiet toolchain install --no-self-update) ||
        echo "the toolchain of firmware/rust-toolchain.toml was not installed" >&2
fi

packages=
command -v promtool > /dev/null || packages="$packages prometheus"
command -v prometheus-alertmanager > /dev/null || packages="$packages prometheus-alertmanager"
command -v redis-server > /dev/null || packages="$packages redis-server"
command -v qemu-system-arm > /dev/null || packages="$packages qemu-system-arm"
[ -n "$packages" ] || exit 0
if ! command -v apt-get > /dev/null; then
    echo "not installed, and there is no apt-get here:$packages" >&2
    exit 0
fi
as_root=
if [ "$(id -u)" != 0 ]; then
    if ! sudo -n true 2> /dev/null; then
        echo "not installed, run $0 as root for:$packages" >&2
        exit 0
    fi
    as_root="sudo -n"
fi
# Packages of servers would start them.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" > /dev/null
    $as_root chmod +x "$policy"
    trap '$as_root rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of words
if ! { $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends $packages > /dev/null; }; then
    echo "not installed, apt-get failed:$packages" >&2
fi
