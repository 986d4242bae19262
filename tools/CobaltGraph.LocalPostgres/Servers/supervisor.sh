# Runs a throw-away server for as long as anyone holds it, then removes every trace of it. A holder has the other end
# of our input, or a named pipe open for writing: the operating system closes those however the holder dies.
#
# $1 folder of the run   $2 folder of the programs   remaining: settings of the server
run=$1
bin=$2
shift 2
trap '' HUP INT TERM QUIT
echo $$ >"$run/supervisor.pid"

# Whoever started us holds the pipe through this cat. The pipe is opened for both first, because opening one end
# would wait for the other.
exec 4<>"$run/lease" 3<"$run/lease" 5<&0
cat <&5 >&4 3<&- &
exec 0</dev/null 4<&- 5<&-

{
    if "$bin/initdb" -D "$run/data" -U postgres -A scram-sha-256 --pwfile="$run/password" -E UTF8 --locale=C --no-sync \
        >"$run/server.log" 2>&1 3<&-; then
        rm -f "$run/password"
        "$bin/postgres" -D "$run/data" "$@" >"$run/server.log" 2>&1 3<&- &
        echo $! >"$run/server.pid"
        wait $!
    fi
    echo $? >"$run/server.exit"
} &
keeper=$!

cat <&3 >/dev/null
# From here nobody can take hold; whoever did just before is waited for.
rm -f "$run/lease"
cat <&3 >/dev/null

while [ ! -s "$run/server.pid" ] && [ ! -e "$run/server.exit" ]; do sleep 0.05; done
# Repeated, because a server that is just starting is deaf to the first.
while [ ! -e "$run/server.exit" ]; do
    kill -QUIT "$(cat "$run/server.pid")" 2>/dev/null
    sleep 0.05
done
wait "$keeper"
cd /
rm -rf -- "$run"
