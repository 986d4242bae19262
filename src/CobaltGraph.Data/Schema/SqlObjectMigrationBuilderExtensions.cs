using Microsoft.EntityFrameworkCore.Migrations;

namespace CobaltGraph.Data.Schema;

// The verbs of a migration for what EF Core does not model. Each takes the object's name and the version of its file
// in Migrations.Sql/objects; a released file is never edited: a change is a new file and a Replace in a new migration,
// whose Down replaces it with the version before.
internal static class SqlObjectMigrationBuilderExtensions
{
    // A function keeps the path it is created with: our schema, then pg_temp, so that nobody's temporary table comes
    // first. Set for the session and put back, because a script may be run without transactions.
    private const string PinSearchPath = """
        DO $pin$
        BEGIN
            PERFORM set_config('cobaltgraph.search_path', current_setting('search_path'), false);
            PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', false);
        END
        $pin$;

        """;

    private const string UnpinSearchPath = """

        DO $unpin$
        BEGIN
            PERFORM set_config('search_path', current_setting('cobaltgraph.search_path'), false);
        END
        $unpin$;

        """;

    public static void CreateFunction(this MigrationBuilder migration, string name, int version)
        => migration.Sql(
            PinSearchPath + SqlObject.Load(SqlObjectKind.Function, name, version).Sql + UnpinSearchPath);

    public static void ReplaceFunction(this MigrationBuilder migration, string name, int version)
        => migration.CreateFunction(name, version);

    public static void DropFunction(this MigrationBuilder migration, string name)
        => migration.Sql($"DROP FUNCTION {name};\n");

    public static void CreateTrigger(this MigrationBuilder migration, string name, int version)
        => migration.Sql(SqlObject.Load(SqlObjectKind.Trigger, name, version).Sql);

    public static void ReplaceTrigger(this MigrationBuilder migration, string name, int version, string table)
    {
        migration.DropTrigger(name, table);
        migration.CreateTrigger(name, version);
    }

    public static void DropTrigger(this MigrationBuilder migration, string name, string table)
        => migration.Sql($"DROP TRIGGER {name} ON {table};\n");

    public static void CreateView(this MigrationBuilder migration, string name, int version)
        => migration.Sql(SqlObject.Load(SqlObjectKind.View, name, version).Sql);

    public static void ReplaceView(this MigrationBuilder migration, string name, int version)
        => migration.CreateView(name, version);

    public static void DropView(this MigrationBuilder migration, string name)
        => migration.Sql($"DROP VIEW {name};\n");

    /// <summary>Creates the partition of the month in which the migration runs and those of the months after it.</summary>
    public static void EnsureConnectionPartitions(this MigrationBuilder migration, int monthsAhead)
        => migration.Sql($"""
            DO $partitions$
            BEGIN
                PERFORM ensure_connection_partitions(now(), now() + interval '{monthsAhead} months');
            END
            $partitions$;

            """);
}
