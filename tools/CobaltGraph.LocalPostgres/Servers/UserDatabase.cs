using CobaltGraph.LocalPostgres.Processes;
using Npgsql;

namespace CobaltGraph.LocalPostgres.Servers;

/// <summary>The role and the database inside a user's server, and the files that hold their passwords.</summary>
internal sealed class UserDatabase(string configurationFile, string superuserFile)
{
    private const string Name = "cobaltgraph";
    private const string Superuser = "postgres";
    private const string SuperuserPurpose = "the superuser of this server, for maintenance.";

    /// <summary>A superuser with a new password, saved before any server knows of it.</summary>
    public DatabaseConf NewSuperuser(int port)
    {
        var conf = new DatabaseConf(port, Superuser, Superuser, Passwords.Generate());
        conf.Save(superuserFile, SuperuserPurpose);
        return conf;
    }

    /// <summary>Gives the superuser a new password when its file is lost; the server must be down.</summary>
    public async Task ResetSuperuserAsync(
        UserServerRecord state, PostgresInstallation installation, ServerAccount account, CancellationToken cancellationToken)
    {
        var conf = new DatabaseConf(state.Port, Superuser, Superuser, Passwords.Generate());
        var single = new Command(installation.Postgres, "--single", "-D", state.DataDirectory, "postgres")
        {
            Account = account,
            Input = $"ALTER ROLE {Superuser} PASSWORD '{Passwords.Verifier(conf.Password)}'\n",
        };
        var result = await single.RunAsync(cancellationToken);
        if (result.ExitCode != 0 || result.Error.Contains("ERROR:", StringComparison.Ordinal))
        {
            throw new LocalPostgresException(
                $"{superuserFile} is lost, and the superuser's password could not be set anew:{Environment.NewLine}{result.Tail()}");
        }

        conf.Save(superuserFile, SuperuserPurpose);
    }

    /// <summary>Makes sure that the role and the database exist and that database.conf opens them.</summary>
    public async Task<DatabaseConf> EnsureAsync(UserServerRecord state, CancellationToken cancellationToken)
    {
        const string Purpose = "the connection to the server of this user.";
        var ours = DatabaseConf.IsOurs(configurationFile);
        var known = ours ? DatabaseConf.Load(configurationFile) : null;
        string? problem = null;
        if (known is not null)
        {
            var current = known with { Port = state.Port };
            problem = await TryConnectAsync(current, cancellationToken);
            if (problem is null)
            {
                if (current != known)
                    current.Save(configurationFile, Purpose);
                return current;
            }

            if (problem is not (PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidCatalogName)
                || known.User != Name || known.Database != Name)
            {
                throw new LocalPostgresException(
                    $"The server is running on port {state.Port}, but the connection in {configurationFile} does not open (SQLSTATE {problem}). "
                    + $"Correct the file, or remove it and run \"cobaltgraph up\", which writes a new one. The server's log is {state.LogFile}.");
            }
        }

        var superuser = DatabaseConf.Load(superuserFile) ?? throw new LocalPostgresException(
            $"{superuserFile} is lost while the server is running. Stop it with \"cobaltgraph down\"; \"cobaltgraph up\" then makes a new one.");
        if (superuser.Port != state.Port)
        {
            superuser = superuser with { Port = state.Port };
            superuser.Save(superuserFile, SuperuserPurpose);
        }

        var conf = new DatabaseConf(state.Port, Name, Name, known?.Password ?? Passwords.Generate());
        try
        {
            await using var connection = new NpgsqlConnection(ConnectionString(superuser));
            await connection.OpenAsync(cancellationToken);
            var roleExists = await ExistsAsync(connection, $"SELECT 1 FROM pg_roles WHERE rolname = '{Name}'", cancellationToken);
            if (roleExists && problem == PostgresErrorCodes.InvalidPassword)
            {
                throw new LocalPostgresException(
                    $"The server does not accept the password in {configurationFile}. Put the right one there; "
                    + "or remove that file and run \"cobaltgraph up\", which sets a new password.");
            }

            if (!roleExists || known is null)
            {
                var verb = roleExists ? "ALTER" : "CREATE";
                await ExecuteAsync(connection, $"{verb} ROLE {Name} LOGIN PASSWORD '{Passwords.Verifier(conf.Password)}'", cancellationToken);
            }

            if (!await ExistsAsync(connection, $"SELECT 1 FROM pg_database WHERE datname = '{Name}'", cancellationToken))
                await ExecuteAsync(connection, $"CREATE DATABASE {Name} OWNER {Name}", cancellationToken);
            if (connection.PostgreSqlVersion.Major < 15)
            {
                // As from 15 on, the owner of the database rules its schema public.
                await using var inside = new NpgsqlConnection(ConnectionString(superuser with { Database = Name }));
                await inside.OpenAsync(cancellationToken);
                await ExecuteAsync(inside, $"ALTER SCHEMA public OWNER TO {Name}", cancellationToken);
            }
        }
        catch (PostgresException failure) when (failure.SqlState == PostgresErrorCodes.InvalidPassword)
        {
            throw new LocalPostgresException(
                $"The server does not accept the superuser's password in {superuserFile}. Remove that file, then \"cobaltgraph down\" and \"cobaltgraph up\" set a new one.", failure);
        }
        catch (NpgsqlException failure)
        {
            throw new LocalPostgresException(
                $"The server is running on port {state.Port}, but its database could not be prepared: {failure.Message} See {state.LogFile}.", failure);
        }

        if (File.Exists(configurationFile) && !ours)
            File.Move(configurationFile, configurationFile + ".old", overwrite: true);
        conf.Save(configurationFile, Purpose);
        return conf;
    }

    /// <summary>Null when the connection works, else the SQLSTATE.</summary>
    private static async Task<string?> TryConnectAsync(DatabaseConf conf, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = new NpgsqlConnection(ConnectionString(conf));
            await connection.OpenAsync(cancellationToken);
            return null;
        }
        catch (PostgresException failure)
        {
            return failure.SqlState;
        }
        catch (NpgsqlException)
        {
            return PostgresErrorCodes.ConnectionFailure;
        }
    }

    private static async Task<bool> ExistsAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellationToken) is not null;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public static string ConnectionString(DatabaseConf conf) => new NpgsqlConnectionStringBuilder
    {
        Host = DatabaseConf.Host,
        Port = conf.Port,
        Database = conf.Database,
        Username = conf.User,
        Password = conf.Password,
        SslMode = SslMode.Disable,
        Pooling = false,
        Timeout = 15,
    }.ConnectionString;
}
