using System.Text.Json;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Settings;

public sealed class DatabaseSettingsTests : IDisposable
{
    private const string Canary = "Canary-9b1f";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cobaltgraph-settings-");
    private readonly Dictionary<string, string?> _environment = [];

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Resolve_explicit_connection_goes_before_everything()
    {
        _environment["COBALTGRAPH_CONNECTION"] = "Host=from-variable";
        WriteConfig(Config("from-file"));
        WriteLocalServer(Config("from-up"));

        var settings = Resolve("Host=from-option;Database=d;Username=u");

        Assert.Equal("from-option", settings.Host);
        Assert.Equal(DatabaseSettingsSource.Explicit, settings.Source);
        Assert.Equal("--connection", settings.SourceName);
    }

    [Fact]
    public void Resolve_variable_goes_before_files()
    {
        _environment["COBALTGRAPH_CONNECTION"] = "postgresql://u@from-variable/d";
        WriteConfig(Config("from-file"));
        WriteLocalServer(Config("from-up"));

        var settings = Resolve();

        Assert.Equal("from-variable", settings.Host);
        Assert.Equal(DatabaseSettingsSource.Environment, settings.Source);
        Assert.Equal("COBALTGRAPH_CONNECTION", settings.SourceName);
    }

    [Fact]
    public void Resolve_config_file_goes_before_local_server()
    {
        var path = WriteConfig(Config("from-file"));
        WriteLocalServer(Config("from-up"));

        var settings = Resolve();

        Assert.Equal("from-file", settings.Host);
        Assert.Equal(DatabaseSettingsSource.ConfigFile, settings.Source);
        Assert.Equal(path, settings.SourceName);
    }

    [Fact]
    public void Resolve_config_file_of_a_parent_folder_is_found()
    {
        WriteConfig(Config("from-file"));
        var below = _folder.CreateSubdirectory("src/deep").FullName;

        Assert.Equal("from-file", Resolver(below).Resolve(null).Host);
    }

    [Fact]
    public void Resolve_local_server_comes_last()
    {
        WriteLocalServer(Config("from-up"));

        var settings = Resolve();

        Assert.Equal("from-up", settings.Host);
        Assert.Equal(DatabaseSettingsSource.LocalServer, settings.Source);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    public void Resolve_empty_variable_counts_as_not_set(string value)
    {
        _environment["COBALTGRAPH_CONNECTION"] = value;
        WriteLocalServer(Config("from-up"));

        Assert.Equal("from-up", Resolve().Host);
    }

    [Fact]
    public void Resolve_wrong_config_file_is_not_passed_over()
    {
        WriteConfig("[database]\nhost = h\n");
        WriteLocalServer(Config("from-up"));

        Assert.Throws<DatabaseSettingsException>(() => Resolve());
    }

    [Fact]
    public void Resolve_nothing_configured_names_the_ways_out()
    {
        var error = Assert.Throws<DatabaseSettingsException>(() => Resolve());

        Assert.Equal(DatabaseSettingsProblem.NotConfigured, error.Problem);
        Assert.Contains("cobaltgraph up", error.Message, StringComparison.Ordinal);
        Assert.Contains("COBALTGRAPH_CONNECTION", error.Message, StringComparison.Ordinal);
        Assert.Contains("config/database.conf", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TryResolve_wrong_connection_gives_the_error_instead_of_throwing()
    {
        Assert.False(DatabaseSettings.TryResolve("Host=", out var settings, out var error));
        Assert.Null(settings);
        Assert.Equal(DatabaseSettingsProblem.Invalid, error.Problem);

        Assert.True(DatabaseSettings.TryResolve("Host=h;Username=u", out settings, out error));
        Assert.Equal("h", settings.Host);
        Assert.Null(error);
    }

    [Fact]
    public void Config_all_keys_reach_the_connection()
    {
        WriteConfig("""
            # a comment
            [logging]
            level = debug
            this line belongs to somebody else

            [Database]
            HOST = db.example
            port=6432
            database = cobalt = graph
            user = cobalt
            password = a;b=c #d
            ; another comment
            schema = site_a
            min_connections = 2
            max_connections = 20
            statement_timeout = 30s
            idle_in_transaction_session_timeout = 1500
            """);

        var settings = Resolve();
        var connection = new NpgsqlConnectionStringBuilder(settings.ConnectionString);

        Assert.Equal(("db.example", 6432, "cobalt = graph", "cobalt"),
            (settings.Host, settings.Port, settings.Database, settings.User));
        Assert.Equal("a;b=c #d", connection.Password);
        Assert.Equal("site_a", connection.SearchPath);
        Assert.Equal((2, 20), (connection.MinPoolSize, connection.MaxPoolSize));
        Assert.Equal(
            "-c statement_timeout=30000 -c idle_in_transaction_session_timeout=1500", connection.Options);
    }

    [Fact]
    public void Config_windows_line_ends_and_byte_order_mark_are_accepted()
    {
        WriteConfig("\uFEFF" + Config("h").ReplaceLineEndings("\r\n"));

        Assert.Equal("h", Resolve().Host);
    }

    [Fact]
    public void Config_left_out_keys_have_defaults()
    {
        WriteConfig(Config("h"));

        var settings = Resolve();

        Assert.Equal(5432, settings.Port);
        Assert.Null(settings.SearchPath);
        Assert.Null(new NpgsqlConnectionStringBuilder(settings.ConnectionString).Options);
    }

    [Fact]
    public void Config_empty_password_leaves_it_to_the_passfile()
    {
        WriteConfig("[database]\nhost = h\ndatabase = d\nuser = u\npassword =\n");

        Assert.False(Resolve().HasPassword);
    }

    [Theory]
    [InlineData("Site A", "\"Site A\"")]
    [InlineData("a\"b", "\"a\"\"b\"")]
    [InlineData("1st", "\"1st\"")]
    [InlineData("site_1", "site_1")]
    public void Config_schema_is_one_name(string schema, string searchPath)
    {
        WriteConfig(Config("h") + $"schema = {schema}\n");

        Assert.Equal(searchPath, Resolve().SearchPath);
    }

    [Theory]
    [InlineData("password = CHANGE_ME_BEFORE_USE", 5, "password", "placeholder")]
    [InlineData("password = change_me", 5, "password", "placeholder")]
    [InlineData("password = x\nprot = 5432", 6, "prot", "Did you mean port?")]
    [InlineData("password = x\nquux = 1", 6, "quux", "The keys are host, port")]
    [InlineData("password = x\nhost = again", 6, "host", "first in line 2")]
    [InlineData("password = x\nport = 543a", 6, "port", "whole number from 1 to 65535")]
    [InlineData("password = x\nport = 0", 6, "port", "whole number from 1 to 65535")]
    [InlineData("password = x\nport = 65536", 6, "port", "whole number from 1 to 65535")]
    [InlineData("password = x\nport = 5432 # the usual", 6, "port", "a line of its own")]
    [InlineData("password = x\nport =", 6, "port", "whole number from 1 to 65535")]
    [InlineData("password = x\nmin_connections = 30\nmax_connections = 3", 6, "min_connections", "max_connections")]
    [InlineData("password = x\nmax_connections = 0", 6, "max_connections", "whole number from 1 to 1024")]
    [InlineData("password = x\nstatement_timeout = soon", 6, "statement_timeout", "not a duration")]
    [InlineData("password = x\nstatement_timeout = -1", 6, "statement_timeout", "not a duration")]
    [InlineData("password = x\nidle_in_transaction_session_timeout = 26d", 6, "idle_in_transaction_session_timeout", "not a duration")]
    [InlineData("password = x\nschema = 'a'", 6, "schema", "quotes")]
    public void Config_wrong_key_is_named_with_file_line_and_remedy(string tail, int line, string key, string says)
    {
        var path = WriteConfig("[database]\nhost = h\ndatabase = d\nuser = u\n" + tail + "\n");

        var error = Assert.Throws<DatabaseSettingsException>(() => Resolve());

        Assert.Equal((path, line, key), (error.SettingsSource, error.Line, error.Key));
        Assert.StartsWith($"{path}, line {line}, {key}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("host")]
    [InlineData("database")]
    [InlineData("user")]
    [InlineData("password")]
    public void Config_missing_key_is_named(string key)
    {
        var lines = Config("h").Split('\n').Where(l => !l.StartsWith(key, StringComparison.Ordinal));
        var path = WriteConfig(string.Join('\n', lines));

        var error = Assert.Throws<DatabaseSettingsException>(() => Resolve());

        Assert.Equal(key, error.Key);
        Assert.StartsWith($"{path}, {key}: The key is missing. Add `{key} = …`", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[databse]\nhost = h\n", "Rename [databse] to [database].")]
    [InlineData("", "Add [database]")]
    [InlineData("[database\nhost = h\n", "line 1: The section header is not closed")]
    [InlineData("host = h\n", "line 1, host: The line stands before any section")]
    [InlineData("[database]\nhost\n", "line 2: The line is not `key = value`")]
    [InlineData("[database]\n= h\n", "line 2: The line is not `key = value`")]
    [InlineData("[database]\nhost = h\n[database]\n", "line 3: The section [database] is there twice")]
    public void Config_malformed_file_is_explained(string text, string says)
    {
        WriteConfig(text);

        Assert.Contains(
            says, Assert.Throws<DatabaseSettingsException>(() => Resolve()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Config_malformed_line_is_not_shown()
    {
        WriteConfig($"[database]\nhost = h\npassword = abc\n{Canary}\n");

        Assert.DoesNotContain(
            Canary, Assert.Throws<DatabaseSettingsException>(() => Resolve()).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Config_file_that_is_not_text_is_unreadable()
    {
        var path = WriteConfig("");
        File.WriteAllBytes(path, [(byte)'[', 0xff, 0xfe, 0xff]);

        var error = Assert.Throws<DatabaseSettingsException>(() => Resolve());

        Assert.Equal(DatabaseSettingsProblem.Unreadable, error.Problem);
        Assert.Equal(path, error.SettingsSource);
    }

    [Fact]
    public void Config_file_that_may_not_be_read_is_an_error()
    {
        // A lock refuses root as well, which file modes do not.
        using var held = new FileStream(WriteConfig(Config("h")), FileMode.Open, FileAccess.ReadWrite, FileShare.None);

        Assert.Equal(
            DatabaseSettingsProblem.Unreadable,
            Assert.Throws<DatabaseSettingsException>(() => Resolve()).Problem);
    }

    [Fact]
    public void Config_file_that_everyone_reads_is_a_warning_and_no_error()
    {
        var path = WriteConfig(Config("h"));
        SetMode(path, UnixFileMode.UserRead | UnixFileMode.OtherRead);

        Assert.Contains($"chmod 600 {path}", Assert.Single(Resolve().Warnings), StringComparison.Ordinal);

        SetMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Empty(Resolve().Warnings);
    }

    [Fact]
    public void Config_example_file_is_right_but_for_the_password()
    {
        var example = File.ReadAllText(Path.Combine(Repository.Root, "config", "database.conf.example"));
        WriteConfig(example);
        Assert.Equal("password", Assert.Throws<DatabaseSettingsException>(() => Resolve()).Key);

        var filledIn = example.Replace("CHANGE_ME_BEFORE_USE", "x", StringComparison.Ordinal);
        WriteConfig(string.Join('\n', filledIn.Split('\n').Select(
            l => l.StartsWith('#') && l.Contains(" = ", StringComparison.Ordinal) ? l[1..] : l)));
        var connection = new NpgsqlConnectionStringBuilder(Resolve().ConnectionString);
        Assert.Equal("site_a", connection.SearchPath);
        Assert.Equal("-c statement_timeout=30000 -c idle_in_transaction_session_timeout=60000", connection.Options);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("1500", 1500)]
    [InlineData("250ms", 250)]
    [InlineData("30s", 30_000)]
    [InlineData("30 s", 30_000)]
    [InlineData("1.5min", 90_000)]
    [InlineData("2h", 7_200_000)]
    [InlineData("1d", 86_400_000)]
    [InlineData("2000us", 2)]
    public void Duration_in_the_servers_notation_is_milliseconds(string text, int expected)
    {
        Assert.True(ServerDuration.TryParseMilliseconds(text, out var milliseconds));
        Assert.Equal(expected, milliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("1 2s")]
    [InlineData("1S")]
    [InlineData("1m")]
    [InlineData("+1")]
    [InlineData("1e3")]
    [InlineData("1us")]
    [InlineData("99999999999999999999999999999999")]
    public void Duration_that_is_none_is_refused(string text)
        => Assert.False(ServerDuration.TryParseMilliseconds(text, out _));

    [Fact]
    public void Connection_gets_an_application_name_and_keeps_its_own()
    {
        Assert.Equal("cobaltgraph", Builder("Host=h").ApplicationName);
        Assert.Equal("mine", Builder("Host=h;Application Name=mine").ApplicationName);
    }

    [Fact]
    public void Connection_never_persists_the_password_or_shows_error_details()
    {
        var builder = Builder("Host=h;Persist Security Info=true;Include Error Detail=true");

        Assert.False(builder.PersistSecurityInfo);
        Assert.False(builder.IncludeErrorDetail);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("Database=d", "names no host")]
    [InlineData("host=h user=u dbname=d", "semicolons")]
    [InlineData("Hots=h", "Did you mean Host?")]
    [InlineData("Host=h;Port=five", "port: The value cannot be used")]
    [InlineData("Host=h;Port=70000", "Port: The value is not a port")]
    [InlineData("Host=h;Password=CHANGE_ME", "placeholder")]
    [InlineData("nonsense", "not a connection string")]
    [InlineData("mysql://h/d", "not a connection string")]
    public void Connection_that_is_wrong_is_explained(string text, string says)
    {
        var error = Assert.Throws<DatabaseSettingsException>(() => Resolve(text));

        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("--connection", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData($"Host=h;Password={Canary}")]
    [InlineData($"postgresql://u:{Canary}@h/d")]
    public void Settings_show_the_password_nowhere_but_in_the_connection(string text)
    {
        var settings = Resolve(text);

        Assert.Contains(Canary, settings.ConnectionString, StringComparison.Ordinal);
        Assert.True(settings.HasPassword);
        Assert.DoesNotContain(Canary, settings.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Canary, settings.Describe(), StringComparison.Ordinal);
        Assert.DoesNotContain(Canary, JsonSerializer.Serialize(settings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData($"Host=h;Password=a;{Canary}=x")]
    [InlineData($"Host=h;Password=a;{Canary}")]
    [InlineData($"Host=h;Password='{Canary}")]
    [InlineData($"Host=h;Port={Canary}")]
    [InlineData($"postgresql://u:{Canary}%zz@h/d")]
    [InlineData($"postgresql://u:a/{Canary}@h/d")]
    [InlineData($"postgresql://u:a?{Canary}@h/d")]
    [InlineData($"postgresql://u:a?{Canary}=1@h/d")]
    [InlineData($"postgresql://u:a@{Canary}@h/d")]
    [InlineData($"postgresql://u:{Canary}/d")]
    [InlineData($"postgresql://u:{Canary}@h:x/d")]
    [InlineData($"postgresql://u:{Canary}@/d")]
    [InlineData($"postgresql://u:{Canary}@h/d?nope=1")]
    public void Error_of_a_wrong_connection_does_not_show_the_password(string text)
        => Assert.DoesNotContain(
            Canary, Assert.Throws<DatabaseSettingsException>(() => Resolve(text)).ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("Host=h;Port=1;Database=d;Username=u", "database \"d\" on h:1 as u (from --connection)")]
    [InlineData("Host=h", "the default database on h:5432 (from --connection)")]
    [InlineData("Host=::1;Database=d", "database \"d\" on [::1]:5432 (from --connection)")]
    [InlineData("Host=/run/pg;Database=d;Search Path=a", "database \"d\" on /run/pg, search path a (from --connection)")]
    public void Describe_says_where_and_whence(string text, string expected)
        => Assert.Equal(expected, Resolve(text).Describe());

    [Fact]
    public void Home_is_the_variable_before_the_users_data_folder()
    {
        Assert.Equal(Path.GetFullPath("/srv/cg"), CobaltGraphHome.FolderFrom(_ => "/srv/cg"));
        Assert.Equal(
            Path.Combine(Path.GetFullPath("/srv/cg"), "database.conf"), CobaltGraphHome.ConnectionFileFrom(_ => "/srv/cg"));
        Assert.NotEqual(CobaltGraphHome.FolderFrom(_ => "/srv/cg"), CobaltGraphHome.FolderFrom(_ => null));
    }

    private static NpgsqlConnectionStringBuilder Builder(string text)
        => new(DatabaseSettings.Parse(text).ConnectionString);

    private static string Config(string host)
        => $"[database]\nhost = {host}\ndatabase = d\nuser = u\npassword = p\n";

    private DatabaseSettings Resolve(string? explicitConnection = null)
        => Resolver(_folder.FullName).Resolve(explicitConnection);

    private DatabaseSettingsResolver Resolver(string folder)
    {
        _environment.TryAdd("COBALTGRAPH_HOME", Path.Combine(_folder.FullName, "home"));
        return new DatabaseSettingsResolver(name => _environment.GetValueOrDefault(name), folder);
    }

    private string WriteConfig(string text) => Write(Path.Combine(_folder.FullName, "config"), text);

    private void WriteLocalServer(string text) => Write(Path.Combine(_folder.FullName, "home"), text);

    private static string Write(string folder, string text)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, "database.conf");
        File.WriteAllText(path, text);
        return path;
    }

    private static void SetMode(string path, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Windows has no file modes.");
        else File.SetUnixFileMode(path, mode);
    }
}
