using CobaltGraph.Data.Schema;

namespace CobaltGraph.Data.Tests.Schema;

public class SqlObjectTests
{
    private const string Good = """
        CREATE OR REPLACE FUNCTION f()
        RETURNS int
        LANGUAGE sql
        IMMUTABLE
        SET search_path FROM CURRENT
        AS $function$
            SELECT 1
        $function$;

        COMMENT ON FUNCTION f() IS 'One.';

        """;

    [Fact]
    public void All_files_follow_the_rules()
        => Assert.True(SqlObject.LoadAll().Count >= 20);

    [Fact]
    public void Good_file_is_loaded()
        => Assert.Equal("objects/functions/f.v01.sql", SqlObject.Parse(SqlObjectKind.Function, "f", 1, Good).Path);

    [Theory]
    [InlineData("LANGUAGE sql\n", "", "LANGUAGE")]
    [InlineData("IMMUTABLE\n", "", "volatility")]
    [InlineData("SET search_path FROM CURRENT\n", "", "search_path")]
    [InlineData("FUNCTION f()\nRETURNS", "FUNCTION g()\nRETURNS", "named as the file")]
    [InlineData("$function$", "$$", "$$")]
    [InlineData("\n", "\r\n", "CR LF")]
    [InlineData("'One.';\n", "'One.';", "does not end")]
    [InlineData("'One.';\n", "'One.'\n", "does not end")]
    [InlineData("IMMUTABLE\n", "IMMUTABLE\nSECURITY DEFINER\n", "revoked")]
    [InlineData("SELECT 1\n", "SELECT cardinality(ARRAY[1])\n", "pg_catalog.cardinality(")]
    [InlineData("SELECT 1\n", "SELECT count(DISTINCT x) FROM t\n", "pg_catalog.count(")]
    [InlineData("SELECT 1\n", "SELECT count(x) FROM t\n", "pg_catalog.count(")]
    [InlineData("SELECT 1\n", "SELECT x FROM unnest(v_rows) AS u(x)\n", "pg_catalog.unnest(")]
    [InlineData("SELECT 1\n", "SELECT unnest(ARRAY[1, 2])\n", "pg_catalog.unnest(")]
    [InlineData("SELECT 1\n", "SELECT unnest(\n f(g(1, 2), 3))\n", "pg_catalog.unnest(")]
    [InlineData("\nCOMMENT ON FUNCTION f() IS 'One.'", "\nSELECT 1", "COMMENT ON")]
    public void File_that_breaks_a_rule_is_refused_by_name(string part, string replacement, string reason)
    {
        var error = Assert.Throws<InvalidOperationException>(() => SqlObject.Parse(
            SqlObjectKind.Function, "f", 1, Good.Replace(part, replacement, StringComparison.Ordinal)));

        Assert.StartsWith("Migrations.Sql/objects/functions/f.v01.sql: ", error.Message);
        Assert.Contains(reason, error.Message);
    }

    [Theory]
    [InlineData("SELECT count(*) FROM t")]
    [InlineData("SELECT pg_catalog.count(DISTINCT x) FROM t")]
    [InlineData("SELECT x FROM pg_catalog.unnest(v_rows) AS u(x)")]
    [InlineData("SELECT x FROM unnest(v_rows, v_others) AS u(x, y)")]
    [InlineData("SELECT x FROM unnest(\n ARRAY[1, 2], f(3, (4))) AS u(x, y)")]
    public void Call_that_nothing_can_stand_in_for_is_accepted(string call)
        => SqlObject.Parse(SqlObjectKind.Function, "f", 1, Good.Replace("SELECT 1", call, StringComparison.Ordinal));

    [Fact]
    public void Missing_file_is_named()
        => Assert.Contains(
            "Migrations.Sql/objects/views/nothing.v03.sql",
            Assert.Throws<InvalidOperationException>(() => SqlObject.Load(SqlObjectKind.View, "nothing", 3)).Message);
}
