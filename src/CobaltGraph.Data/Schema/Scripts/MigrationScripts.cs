using System.Text;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace CobaltGraph.Data.Schema.Scripts;

/// <summary>
/// The migrations as scripts for psql: one up and one down for each, one to prepare those that need it, and one of all that
/// finds out itself what is missing. The same migrations give the same bytes.
/// </summary>
internal static partial class MigrationScripts
{
    /// <summary>The name of the script of all migrations.</summary>
    public const string IdempotentFileName = "cobaltgraph.idempotent.sql";

    /// <summary>What every script says of itself in its second line.</summary>
    public const string Origin = "-- Written by: cobaltgraph script --output-folder Migrations.Sql/scripts. Edit the migration instead.";

    private const string History = "\"__EFMigrationsHistory\"";

    private const string LockTimeout = "5s";

    private const string StatementTimeout = "30min";

    // A statement with many transactions is one for the server.
    private const string NoTimeout = "0";

    private const int LineLength = 120;

    private const string Server = "PostgreSQL 12 or later, psql 11 or later, a database in UTF8";

    // Looked for first: IF NOT EXISTS wants the right to create schemas even when there is nothing to create.
    private const string CreateSite = """
        SELECT pg_catalog.format('CREATE SCHEMA %I', :'schema'::text)
        WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = :'schema') \gexec

        """;

    private const string CreateHistory = $"""
        CREATE TABLE IF NOT EXISTS {History} (
            migration_id character varying(150) NOT NULL,
            product_version character varying(32) NOT NULL,
            CONSTRAINT pk___ef_migrations_history PRIMARY KEY (migration_id)
        );


        """;

    // What another role makes here, the triggers could not write.
    private static readonly string OwnerCheck = $"""
                SELECT r.rolname::text INTO v_owner
                FROM pg_namespace AS n
                JOIN pg_roles AS r ON r.oid = n.nspowner
                WHERE n.nspname = v_site
                  AND {SiteOwner.IsToBecome.ReplaceLineEndings("\n      ")};
                IF FOUND AND current_setting('cobaltgraph.pending') = 'true' THEN
                    RAISE EXCEPTION 'Schema "%" belongs to role "%", and this session is "%".', v_site, v_owner, current_user
                        USING HINT = format('Run it as the owner: psql -c ''SET ROLE %I'' -v schema=... -f ...', v_owner);
                END IF;
            """;

    /// <summary>The migrations of this version.</summary>
    public static IReadOnlyList<ScriptedMigration> Read()
    {
        var options = new DbContextOptionsBuilder<CobaltGraphContext>();
        options.UseCobaltGraph();
        using var context = new CobaltGraphContext(options.Options);
        return ((SiteMigrator)context.GetService<IMigrator>()).ReadForScripts();
    }

    /// <summary>Every script by file name.</summary>
    /// <exception cref="InvalidOperationException">A migration cannot be written as a script; the message says why.</exception>
    public static SortedDictionary<string, string> Files(IReadOnlyList<ScriptedMigration> migrations)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            [IdempotentFileName] = Idempotent(migrations),
        };
        foreach (var migration in migrations)
        {
            files.Add($"{migration.FileName}.up.sql", Up(migrations, migration));
            files.Add($"{migration.FileName}.down.sql", Down(migrations, migration));
            if (migration.Preparation is { } preparation)
                files.Add(PreparationFile(migration), Prepare(migrations, migration, preparation));
        }

        return files;
    }

    /// <summary>The script that applies one migration to what the ones before it left.</summary>
    public static string Up(IReadOnlyList<ScriptedMigration> migrations, ScriptedMigration migration)
    {
        var first = migration.Number == 1;
        var head = Head(
            $"{migration.Id}, up",
            $"{migration.FileName}.up.sql",
            migration.Up.Effects,
            first
                ? $"{Server}. The right to create in the site's schema, and in the database if that is to be created too; where the " +
                    "schema's owner cannot log in, SET ROLE to it."
                : $"{Server}. The role that owns the site's tables; no superuser. {migrations[migration.Number - 2].Id} and no later migration.",
            $"{Whole(migration.Up)} Where the migration is applied already, nothing is done." +
            (migration.Preparation is null ? "" : $" Where connections is large, {PreparationFile(migration)} before it makes it short."));
        return $"{head}\n{Defaults()}\n{UpSection(migrations, migration)}";
    }

    /// <summary>The script that prepares one migration.</summary>
    public static string Prepare(
        IReadOnlyList<ScriptedMigration> migrations, ScriptedMigration migration, IPreparedMigration preparation)
    {
        var head = Head(
            $"{migration.Id}, before up",
            PreparationFile(migration),
            [preparation.PreparationEffect],
            $"{Server}. The role that owns the site's tables; no superuser. {migrations[migration.Number - 2].Id} and no later migration.",
            "Many transactions, none of which is long but those that build an index; whatever stops it, the same script goes on where it was, and " +
            $"{migration.FileName}.up.sql can be run at any time.",
            NoTimeout);
        return $"{head}\n{Defaults(NoTimeout)}\n"
            + Alone(UpCheck(migrations, migration), first: false, preparation.Preparation.ReplaceLineEndings("\n"), proof: "");
    }

    private static string PreparationFile(ScriptedMigration migration) => $"{migration.FileName}.prepare.sql";

    /// <summary>The script that reverts one migration, the newest.</summary>
    public static string Down(IReadOnlyList<ScriptedMigration> migrations, ScriptedMigration migration)
    {
        var head = Head(
            $"{migration.Id}, down",
            $"{migration.FileName}.down.sql",
            migration.Down.Effects,
            $"{Server}. The role that owns the site's tables; no superuser. {migration.Id} as the newest migration.",
            $"{Whole(migration.Down)} What it drops, no later up brings back: take a backup.");
        return $"{head}\n{Defaults()}\n{Section(migration, migration.Down, DownCheck(migration), first: false, present: false)}";
    }

    /// <summary>The script that applies every migration that is missing.</summary>
    /// <param name="migrations">All of them.</param>
    /// <param name="schema">The schema of the site; null leaves it to the caller.</param>
    public static string Idempotent(IReadOnlyList<ScriptedMigration> migrations, string? schema = null)
    {
        var text = new StringBuilder(Head(
            $"all {migrations.Count} migrations, up",
            IdempotentFileName,
            [.. migrations.Select(migration => $"applies {migration.Id} where it is missing")],
            $"{Server}. The role that owns the site's tables; for an empty site the right to create in its schema, and in the " +
            "database if that is to be created too; where the schema's owner cannot log in, SET ROLE to it; no superuser.",
            "One transaction per migration: what is done when it fails stays done, and the next run goes on there."));
        text.Append('\n').Append(Defaults());
        if (schema is not null)
            text.Append($"\\set schema {PsqlArgument(schema)}\n");

        foreach (var migration in migrations)
        {
            text.Append($"\n-- {migration.Id}\n");
            text.Append(UpSection(migrations, migration));
        }

        return text.ToString();
    }

    /// <summary>One way of a migration as plain SQL, which other programs than psql understand too.</summary>
    public static string Plain(ScriptedDirection direction)
    {
        Check("The migration", direction);
        var commands = string.Join('\n', direction.Commands.Select(command => command.Sql));
        return direction.Commands.Any(command => command.OutsideTransaction)
            ? $"""
                SET lock_timeout = '{LockTimeout}';
                SET statement_timeout = '{StatementTimeout}';
                {commands}
                {direction.Record}
                """
            : $"""
                START TRANSACTION;
                SET LOCAL lock_timeout = '{LockTimeout}';
                SET LOCAL statement_timeout = '{StatementTimeout}';
                {commands}
                {direction.Record}
                COMMIT;

                """;
    }

    private static string Defaults(string statementTimeout = StatementTimeout)
        => $"""
            \set ON_ERROR_STOP on
            \if :{"{?lock_timeout}"}
            \else
            \set lock_timeout {LockTimeout}
            \endif
            \if :{"{?statement_timeout}"}
            \else
            \set statement_timeout {statementTimeout}
            \endif

            """;

    private static string Whole(ScriptedDirection direction)
        => direction.Commands.Any(command => command.OutsideTransaction)
            ? "Its statement cannot run in a transaction; after a failure the same script goes on."
            : "One transaction: all of it or nothing.";

    private static string Head(
        string title, string file, IReadOnlyList<string> effects, string needs, string ends, string statementTimeout = StatementTimeout)
    {
        var text = new StringBuilder($"-- CobaltGraph: {title}.\n{Origin}\n--\n");
        Wrap(text, "Does", effects.Count == 0 ? "nothing." : string.Join("; ", effects) + ".");
        Wrap(text, "Needs", needs);
        text.Append($"-- Run    psql -X -v schema=SITE -f {file} \"host=... dbname=... user=...\"\n");
        Wrap(text, "", "Without schema=, the first schema of the search path is the site. " +
            $"-v lock_timeout= and -v statement_timeout= replace {LockTimeout} and {statementTimeout}; 0 is none.");
        Wrap(text, "Ends", ends);
        return text.ToString();
    }

    private static void Wrap(StringBuilder text, string label, string sentence)
    {
        var line = $"-- {label,-6}";
        foreach (var word in sentence.Split(' '))
        {
            if (line.Length + 1 + word.Length > LineLength)
            {
                text.Append(line).Append('\n');
                line = $"-- {"",-6}";
            }

            line += $" {word}";
        }

        text.Append(line).Append('\n');
    }

    private static string UpSection(IReadOnlyList<ScriptedMigration> migrations, ScriptedMigration migration)
        => Section(migration, migration.Up, UpCheck(migrations, migration), first: migration.Number == 1, present: true);

    private static string Section(ScriptedMigration migration, ScriptedDirection direction, string check, bool first, bool present)
    {
        Check(migration.Id, direction);
        return direction.Commands.Any(command => command.OutsideTransaction)
            ? OutsideTransaction(migration, direction, check, first, present)
            : InTransaction(migration, direction, check, first, present);
    }

    private static string InTransaction(
        ScriptedMigration migration, ScriptedDirection direction, string check, bool first, bool present)
        => $"""
            START TRANSACTION;
            SELECT pg_catalog.current_setting('search_path') AS cobaltgraph_search_path \gset
            {Site(first)}SET LOCAL client_encoding = 'UTF8';
            SET LOCAL lock_timeout = :'lock_timeout';
            SET LOCAL statement_timeout = :'statement_timeout';

            {CheckBlock(check, "pg_try_advisory_xact_lock")}
            \if :cobaltgraph_pending

            {(first ? CreateHistory : "")}{string.Join('\n', direction.Commands.Select(command => command.Sql))}
            {direction.Record}
            \endif
            {ProofBlock(migration, present)}
            SELECT pg_catalog.set_config('search_path', :'cobaltgraph_search_path', false) AS cobaltgraph_search_path \gset
            COMMIT;

            """;

    private static string OutsideTransaction(
        ScriptedMigration migration, ScriptedDirection direction, string check, bool first, bool present)
    {
        var command = direction.Commands[0].Sql;
        var index = ConcurrentIndex().Match(command);
        var invalid = index.Success
            ? $"""
                -- What an interrupted run left would be taken for the index.
                SELECT pg_catalog.format('DROP INDEX CONCURRENTLY %s', i.indexrelid::regclass)
                FROM pg_catalog.pg_index AS i
                WHERE NOT i.indisvalid AND i.indexrelid = pg_catalog.to_regclass(
                    pg_catalog.format('%I.%s', pg_catalog.current_schema(), {SqlText.Literal(index.Groups["name"].Value)}))::oid
                \gexec

                """
            : "";
        return Alone(check, first, $"{invalid}{command}\n{direction.Record}", ProofBlock(migration, present) + "\n");
    }

    // The session has the lock and the settings here, and gives them back at the end.
    private static string Alone(string check, bool first, string statements, string proof)
        => $"""
            SELECT pg_catalog.current_setting('search_path') AS cobaltgraph_search_path,
                   pg_catalog.current_setting('client_encoding') AS cobaltgraph_client_encoding,
                   pg_catalog.current_setting('lock_timeout') AS cobaltgraph_lock_timeout,
                   pg_catalog.current_setting('statement_timeout') AS cobaltgraph_statement_timeout \gset
            {Site(first)}SET client_encoding = 'UTF8';
            SET lock_timeout = :'lock_timeout';
            SET statement_timeout = :'statement_timeout';

            {CheckBlock(check, "pg_try_advisory_lock")}
            \if :cobaltgraph_pending

            {(first ? CreateHistory : "")}{statements}
            \endif
            {proof}SELECT pg_catalog.pg_advisory_unlock({SiteMigrator.LockClass}, pg_catalog.hashtext(pg_catalog.current_schema()::text)) AS cobaltgraph_unlocked \gset
            SELECT pg_catalog.set_config('search_path', :'cobaltgraph_search_path', false) AS cobaltgraph_search_path,
                   pg_catalog.set_config('lock_timeout', :'cobaltgraph_lock_timeout', false) AS cobaltgraph_lock_timeout,
                   pg_catalog.set_config('statement_timeout', :'cobaltgraph_statement_timeout', false) AS cobaltgraph_statement_timeout,
                   pg_catalog.set_config('client_encoding', :'cobaltgraph_client_encoding', false) AS cobaltgraph_client_encoding \gset

            """;

    private static string Site(bool create)
        => $"""
            \if :{"{?schema}"}
            {(create ? CreateSite : "")}SET search_path = :"schema";
            \endif

            """;

    private static string CheckBlock(string check, string tryLock)
        => $"""
            DO $check$
            DECLARE
                v_path text := pg_catalog.current_setting('search_path');
                v_site text := pg_catalog.current_schema();
                v_owner text;
                v_applied text[];
            BEGIN
                -- Nothing that others have put into the schema is called from here.
                PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
                IF current_setting('server_version_num')::integer < 120000 THEN
                    RAISE EXCEPTION 'This server is PostgreSQL %; CobaltGraph needs 12 or later.', current_setting('server_version');
                END IF;
                IF v_site IS NULL THEN
                    RAISE EXCEPTION 'The schema does not exist: search_path is %.', v_path
                        USING HINT = 'Name the site''s schema with psql -v schema=, or set search_path.';
                END IF;
                IF NOT {tryLock}({SiteMigrator.LockClass}, hashtext(v_site)) THEN
                    RAISE EXCEPTION 'Another session is migrating schema "%".', v_site USING HINT = 'Run the script again when it is done.';
                END IF;
                IF to_regclass(format('%I.%I', v_site, '__EFMigrationsHistory')) IS NOT NULL THEN
                    EXECUTE format('SELECT array_agg(migration_id::text ORDER BY migration_id COLLATE "C") FROM %I.%I', v_site, '__EFMigrationsHistory')
                        INTO v_applied;
                END IF;
                v_applied := coalesce(v_applied, ARRAY[]::text[]);

            {check}
                PERFORM set_config('search_path', v_path, true);
            END
            $check$;
            SELECT pg_catalog.current_setting('cobaltgraph.pending') AS cobaltgraph_pending \gset
            """;

    private static string UpCheck(IReadOnlyList<ScriptedMigration> migrations, ScriptedMigration migration)
    {
        var before = migrations.Take(migration.Number - 1).Select(m => m.Id).ToList();
        var onto = before.Count == 0 ? "a schema without migrations" : $"{before[^1]} and no later one";
        return $"""
                IF {SqlText.Literal(migration.Id)} = ANY (v_applied) THEN
                    RAISE NOTICE 'Schema "%" has {SqlText.Escaped(migration.Id)} already: nothing to do.', v_site;
                ELSIF v_applied <> ARRAY[{string.Join(", ", before.Select(SqlText.Literal))}]::text[] THEN
                    RAISE EXCEPTION '{SqlText.Escaped(migration.Id)} goes onto {SqlText.Escaped(onto)}; schema "%" has %.',
                        v_site, coalesce(nullif(array_to_string(v_applied, ', '), ''), 'no migration')
                        USING HINT = 'Run the scripts in the order of their numbers, or {IdempotentFileName}, of the newest release.';
                ELSIF NOT has_schema_privilege(current_user, v_site, 'CREATE') THEN
                    RAISE EXCEPTION 'Role "%" may not create in schema "%".', current_user, v_site
                        USING HINT = 'Run the script as the role that owns the schema.';
                END IF;
                PERFORM set_config('cobaltgraph.pending', ({SqlText.Literal(migration.Id)} <> ALL (v_applied))::text, false);
            {OwnerCheck}
            """;
    }

    private static string DownCheck(ScriptedMigration migration)
        => $"""
                IF v_applied[cardinality(v_applied)] IS DISTINCT FROM {SqlText.Literal(migration.Id)} THEN
                    RAISE EXCEPTION '{SqlText.Escaped(migration.Id)} is not the newest migration; schema "%" has %.',
                        v_site, coalesce(nullif(array_to_string(v_applied, ', '), ''), 'no migration')
                        USING HINT = 'Revert the newest migration first, with the down script of its number.';
                END IF;
                PERFORM set_config('cobaltgraph.pending', 'true', false);
            {OwnerCheck}
            """;

    private static string ProofBlock(ScriptedMigration migration, bool present)
        => $"""
            DO $proof$
            BEGIN
                IF {(present ? "NOT " : "")}EXISTS (SELECT 1 FROM {History} WHERE migration_id::text = {SqlText.Literal(migration.Id)}) THEN
                    RAISE EXCEPTION '{SqlText.Escaped(migration.Id)} is {(present ? "not" : "still")} in the history of schema "%": it was not {(present ? "applied" : "reverted")}.',
                        pg_catalog.current_schema();
                END IF;
            END
            $proof$;
            """;

    private static void Check(string name, ScriptedDirection direction)
    {
        if (direction.Commands.FirstOrDefault(command => command.OutsideTransaction) is not { } alone)
            return;

        if (direction.Commands.Count > 1)
        {
            throw new InvalidOperationException(
                $"{name}: a statement that cannot run in a transaction must be alone in its migration, or a failure in the middle " +
                $"leaves half of it: {FirstLine(alone.Sql)}");
        }

        if (!Repeatable().IsMatch(alone.Sql))
        {
            throw new InvalidOperationException(
                $"{name}: a statement that cannot run in a transaction must be safe to repeat; say IF NOT EXISTS or IF EXISTS: " +
                FirstLine(alone.Sql));
        }
    }

    private static string FirstLine(string sql) => sql.TrimStart().Split('\n')[0];

    private static string PsqlArgument(string text)
        => $"'{SqlText.Escaped(text.Replace("\\", "\\\\", StringComparison.Ordinal)).Replace("\n", "\\n", StringComparison.Ordinal)}'";

    [GeneratedRegex(@"\bIF\s+(NOT\s+)?EXISTS\b", RegexOptions.IgnoreCase)]
    private static partial Regex Repeatable();

    [GeneratedRegex("""^\s*CREATE\s+(UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+IF\s+NOT\s+EXISTS\s+(?<name>"(?:[^"]|"")+"|\w+)\s""", RegexOptions.IgnoreCase)]
    private static partial Regex ConcurrentIndex();
}
