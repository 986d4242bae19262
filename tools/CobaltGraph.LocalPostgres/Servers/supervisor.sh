# Runs a throw-away server for as long as anyone holds the lease, then removes every trace of it. The holders are the
# writers of a named pipe: the operating system takes their end away however they die.
#
# $1 folder of the run   $2 folder of the programs   remaining: settings of the server
run=$1
bin=$2
shift 2
trap '' HUP INT TERM QUIT
echo $$ >"$run/supervisor.pid"

# Opened for both first, because opening only the reading end would wait for a writer that may be dead already.
exec 4<>"$run/lease" 3<"$run/lease" 4<&-

{
    if "$bin/initdb" -D "$run/data" -U postgres -A scram-sha-256 --pwfile="$run/password" -E UTF8 --locale=C --no-sync \
        </dev/null >"$run/server.log" 2>&1 3<&-; then
        rm -f "$run/password"
        "$bin/postgres" -D "$run/data" "$@" </dev/null >"$run/server.log" 2>&1 3<&- &
        echo $! >"$run/server.pid"
        wait $!
    fi
    echo $? >"$run/server.exit"
} &
keeper=$!

cat <&3 >/dev/null
# From here nobody can take the lease; whoever took it just before is waited for.
rm -f "$run/lease"
cat <&3 >/dev/null

while [ ! -s "$run/server.pid" ] && [ ! -e "$run/server.exit" ]; do sleep 0.05; done
[ -e "$run/server.exit" ] || kill -QUIT "$(cat "$run/server.pid")" 2>/dev/null
wait "$keeper"
cd /
rm -rf -- "$run"
