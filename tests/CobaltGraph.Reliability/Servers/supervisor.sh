# Runs one server, starts it again whenever it is told to, and ends and removes it with whoever holds our input: the
# operating system closes that however the holder dies.
#
# $1 folder of the run   $2 folder of the programs   remaining: settings of the server
# Input: one line with a number for each start. pid.N and exit.N tell what became of start N.
run=$1
bin=$2
shift 2
trap '' HUP INT TERM QUIT

number=
while IFS= read -r number; do
    if [ "$number" = 0 ]; then
        "$bin/initdb" -D "$run/data" -U postgres -A scram-sha-256 --pwfile="$run/password" -E UTF8 --locale=C -k \
            >"$run/server.log" 2>&1 </dev/null
        status=$?
        rm -f "$run/password"
        echo "$status" >"$run/exit.new" && mv "$run/exit.new" "$run/exit.0"
        continue
    fi
    last=$number
    {
        "$bin/postgres" -D "$run/data" "$@" >>"$run/server.log" 2>&1 </dev/null &
        echo $! >"$run/pid.new" && mv "$run/pid.new" "$run/pid.$number"
        wait $!
        echo $? >"$run/exit.new" && mv "$run/exit.new" "$run/exit.$number"
    } &
done

# Repeated, because a server that is just starting is deaf to the first, and one that was stopped hears nothing.
while [ -n "$last" ] && [ ! -e "$run/exit.$last" ]; do
    if [ -e "$run/pid.$last" ]; then
        kill -QUIT "$(cat "$run/pid.$last")" 2>/dev/null
        kill -CONT "$(cat "$run/pid.$last")" 2>/dev/null
    fi
    sleep 0.05
done
wait
cd /
rm -rf -- "$run"
