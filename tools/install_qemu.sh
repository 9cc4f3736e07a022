#!/bin/sh
# The emulator that checks the firmware independently of our simulator (Debian, Ubuntu).
set -e
apt-get update -qq
apt-get install -y -qq --no-install-recommends qemu-system-arm
