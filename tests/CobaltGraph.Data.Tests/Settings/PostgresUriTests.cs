using Npgsql;

namespace CobaltGraph.Data.Tests.Settings;

public sealed class PostgresUriTests
{
    [Theory]
    [InlineData("postgresql://h", "h", 5432, null, null, null)]
    [InlineData("postgres://h/", "h", 5432, null, null, null)]
    [InlineData("POSTGRESQL://h/d", "h", 5432, "d", null, null)]
    [InlineData("postgresql://u@h:6432/d", "h", 6432, "d", "u", null)]
    [InlineData("postgresql://u:p@h/d", "h", 5432, "d", "u", "p")]
    [InlineData("postgresql://u:@h/d", "h", 5432, "d", "u", null)]
    [InlineData("postgresql://h:/d", "h", 5432, "d", null, null)]
    [InlineData("postgresql://u:p:q@h/d", "h", 5432, "d", "u", "p:q")]
    [InlineData("postgresql://a%40b:p%2F%3A%25%20+@h/d%20e", "h", 5432, "d e", "a@b", "p/:% +")]
    [InlineData("postgresql://u:p%C3%A4ss@h/d", "h", 5432, "d", "u", "päss")]
    [InlineData("postgresql://u:päss@h/d", "h", 5432, "d", "u", "päss")]
    [InlineData("postgresql://u:p;Host=evil@h/d", "h", 5432, "d", "u", "p;Host=evil")]
    [InlineData("postgresql://u:p#q@h/d", "h", 5432, "d", "u", "p#q")]
    [InlineData("postgresql://[::1]/d", "::1", 5432, "d", null, null)]
    [InlineData("postgresql://u@[2001:db8::1]:6432/d", "2001:db8::1", 6432, "d", "u", null)]
    [InlineData("postgresql://%2Fvar%2Frun%2Fpostgresql/d", "/var/run/postgresql", 5432, "d", null, null)]
    [InlineData("postgresql:///d?host=/var/run/postgresql&port=6432", "/var/run/postgresql", 6432, "d", null, null)]
    [InlineData("postgresql://h/d?user=u&password=p%26q", "h", 5432, "d", "u", "p&q")]
    [InlineData("postgresql://a:1,b:2/d", "a:1,b:2", 5432, "d", null, null)]
    [InlineData("postgresql://a,[::1]:2/d", "a:5432,[::1]:2", 5432, "d", null, null)]
    [InlineData("postgresql:///d?host=a,b&port=6000", "a:6000,b:6000", 5432, "d", null, null)]
    public void Uri_parts_become_the_connection(
        string uri, string host, int port, string? database, string? user, string? password)
    {
        var connection = Parse(uri);

        Assert.Equal(
            (host, port, database, user, password),
            (connection.Host, connection.Port, connection.Database, connection.Username, connection.Password));
    }

    [Fact]
    public void Uri_parameters_become_the_connection()
    {
        var connection = Parse(
            "postgresql://u@h/d?sslmode=verify-full&sslrootcert=%2Fca.pem&application_name=a%20b&connect_timeout=7" +
            "&options=-c%20statement_timeout%3D5s&search_path=site_a&target_session_attrs=read-write" +
            "&passfile=%2Fp&channel_binding=require");

        Assert.Equal(SslMode.VerifyFull, connection.SslMode);
        Assert.Equal("/ca.pem", connection.RootCertificate);
        Assert.Equal("a b", connection.ApplicationName);
        Assert.Equal(7, connection.Timeout);
        Assert.Equal("-c statement_timeout=5s", connection.Options);
        Assert.Equal("site_a", connection.SearchPath);
        Assert.Equal("read-write", connection.TargetSessionAttributes);
        Assert.Equal("/p", connection.Passfile);
        Assert.Equal(ChannelBinding.Require, connection.ChannelBinding);
    }

    [Theory]
    [InlineData("disable", SslMode.Disable)]
    [InlineData("allow", SslMode.Allow)]
    [InlineData("prefer", SslMode.Prefer)]
    [InlineData("require", SslMode.Require)]
    [InlineData("verify-ca", SslMode.VerifyCA)]
    public void Uri_sslmode_means_what_libpq_means(string text, SslMode expected)
        => Assert.Equal(expected, Parse($"postgresql://h/d?sslmode={text}").SslMode);

    [Theory]
    [InlineData("postgresql://", "names no host")]
    [InlineData("postgresql:///d", "names no host")]
    [InlineData("postgresql://h/d?sslmod=require", "Did you mean sslmode?")]
    [InlineData("postgresql://h/d?hostaddr=1.2.3.4", "hostaddr: There is no such parameter")]
    [InlineData("postgresql://h/d?sslmode=full", "sslmode: The value cannot be used. Write disable, allow")]
    [InlineData("postgresql://h/d?connect_timeout=soon", "connect_timeout: The value cannot be used")]
    [InlineData("postgresql://h/d?sslmode", "not name=value")]
    [InlineData("postgresql://h/d?=x", "not name=value")]
    [InlineData("postgresql://h:x/d", "not a whole number from 1 to 65535")]
    [InlineData("postgresql://h:0/d", "not a whole number from 1 to 65535")]
    [InlineData("postgresql://h:99999/d", "not a whole number from 1 to 65535")]
    [InlineData("postgresql://::1/d", "needs brackets")]
    [InlineData("postgresql://[::1/d", "not closed")]
    [InlineData("postgresql://[::1]x/d", "not closed")]
    [InlineData("postgresql://h/d%2", "two hexadecimal digits")]
    [InlineData("postgresql://h/d%zz", "two hexadecimal digits")]
    [InlineData("postgresql://h/d%00", "%00 is not allowed")]
    [InlineData("postgresql://h/d%ff", "not UTF-8")]
    [InlineData("postgresql:///d?host=a,b,c&port=1,2", "3 hosts and 2 ports")]
    [InlineData("postgresql://u:p@ss@h/d", "%40")]
    [InlineData("postgresql://u:CHANGE_ME@h/d", "placeholder")]
    public void Uri_that_is_wrong_is_explained(string uri, string says)
        => Assert.Contains(
            says, Assert.Throws<DatabaseSettingsException>(() => Parse(uri)).Message, StringComparison.Ordinal);

    private static NpgsqlConnectionStringBuilder Parse(string uri)
        => new(DatabaseSettings.Parse(uri).ConnectionString);
}
