#!/usr/bin/env bash
# How long the command-line tool takes to seal and open a large file, beside cp, cat, age and openssl: the
# median of several rounds, each in another order, how many times that of cp it is, and the most memory that was used.
#
#   cargo build --release --features cli,aws-lc-rs
#   benches/cli.sh [MiB] [ROUNDS] [COMMAND...]
#
# Commands are cp, cat, seal, open, age-encrypt, age-decrypt and openssl: all by default, without those of age
# and openssl if they are not installed. `cat in > out` copies through a buffer, where cp may leave it to the
# system. It needs GNU time, and room for five files of that size, of which four should fit into the page cache;
# only for cp, cat, seal and open, four and three.
set -euo pipefail
cd "$(dirname "$0")/.."
mebibytes=${1:-4096}
rounds=${2:-7}
export PATH="$PWD/target/release:$PATH"

directory=$(mktemp -d -p "$PWD/target")
trap 'rm -rf "$directory"' EXIT
cd "$directory"

commands=("${@:3}")
if ((${#commands[@]} == 0)); then
  commands=(cp cat seal open)
  if command -v age > /dev/null; then commands+=(age-encrypt age-decrypt); fi
  if command -v openssl > /dev/null; then commands+=(openssl); fi
fi
head -c "${mebibytes}M" /dev/urandom > in
twinseal -q keygen --kem -o key.pem > /dev/null
twinseal public key.pem -o pub.pem
twinseal seal -q -r pub.pem -c benches -o in.sealed in
if [[ " ${commands[*]}" == *" age"* ]]; then
  age-keygen -o age.key 2> /dev/null
  recipient=$(age-keygen -y age.key)
  age -r "$recipient" -o in.age in
fi
if [[ " ${commands[*]}" == *" openssl"* ]]; then
  key=$(openssl rand -hex 32)
  iv=$(openssl rand -hex 16)
fi

# Each starts with nothing left to be written to the disk, and with its input in the page cache.
run() {
  local name=$1 input
  case $name in
    cp) input=in; set -- cp in out ;;
    cat) input=in; set -- sh -c 'cat in > out' ;;
    seal) input=in; set -- twinseal seal -q -r pub.pem -c benches -o out in ;;
    open) input=in.sealed; set -- twinseal open -q -k key.pem -c benches -o out in.sealed ;;
    age-encrypt) input=in; set -- age -r "$recipient" -o out in ;;
    age-decrypt) input=in.age; set -- age -d -i age.key -o out in.age ;;
    openssl) input=in; set -- openssl enc -aes-256-ctr -K "$key" -iv "$iv" -in in -out out ;;
  esac
  rm -f out
  sync -f .
  cat "$input" > /dev/null
  command time -a -o times -f "$name %e %M" "$@"
}

for ((round = 0; round < rounds; round++)); do
  for command in $(shuf -e "${commands[@]}"); do run "$command"; done
done

median() {
  awk -v name="$1" '$1 == name { print $2 }' times | sort -n | awk '{ time[NR] = $1 } END { print time[int((NR + 1) / 2)] }'
}

printf '%-12s %10s %10s %14s\n' command seconds 'over cp' 'memory in MiB'
for command in "${commands[@]}"; do
  awk -v name="$command" -v median="$(median "$command")" -v cp="$(median cp)" '
    $1 == name && $3 > most { most = $3 }
    END { printf "%-12s %10.2f %10s %14.1f\n", name, median, cp ? sprintf("%.2f", median / cp) : "", most / 1024 }' times
done
