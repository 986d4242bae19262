using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Benchmarks.Ingest.Methods;

/// <summary>
/// CobaltGraph's ingest, one writer, into a schema that one thing after another is taken from: the difference between two
/// neighbours is what that thing costs.
/// </summary>
internal sealed class StrippedIngest : IngestMethod
{
    private static readonly (string Title, string Sql)[] Steps =
    [
        ("everything", ""),
        ("without the foreign key", "ALTER TABLE connections DROP CONSTRAINT fk_connections_devices_src_mac;"),
        ("nor the trigger: no devices, counters, edges, events", "DROP TRIGGER connections_count ON connections;"),
        ("nor the indexes beside the key", IndexesBesideTheKey),
        ("nor the key", "ALTER TABLE connections DROP CONSTRAINT pk_connections;"),
        ("nor the checks", Checks),
    ];

    private const string IndexesBesideTheKey =
        """
        DO $$
        DECLARE
            v_index regclass;
        BEGIN
            FOR v_index IN SELECT indexrelid FROM pg_index WHERE indrelid = 'connections'::regclass AND NOT indisprimary LOOP
                EXECUTE format('DROP INDEX %s', v_index);
            END LOOP;
        END
        $$;
        """;

    private const string Checks =
        """
        DO $$
        DECLARE
            v_name name;
        BEGIN
            FOR v_name IN SELECT conname FROM pg_constraint WHERE conrelid = 'connections'::regclass AND contype = 'c' LOOP
                EXECUTE format('ALTER TABLE connections DROP CONSTRAINT %I', v_name);
            END LOOP;
        END
        $$;
        """;

    private readonly int _step;

    private StrippedIngest(int step) => _step = step;

    public static IReadOnlyList<IngestMethod> Series { get; } =
        [.. Enumerable.Range(0, Steps.Length).Select(step => new StrippedIngest(step))];

    public override string Key => $"s{_step}";

    public override string Title => Steps[_step].Title;

    public override Schema Schema => _step < 2 ? Schema.CobaltGraph : Schema.Stripped;

    public override string ThenRun => string.Concat(Steps[..(_step + 1)].Select(step => step.Sql));

    public override Task StoreAsync(
        NpgsqlDataSource dataSource, Connection[] rows, int batchSize, CancellationToken cancellationToken)
        => OurIngest.StoreAsync(dataSource, rows, batchSize, writers: 1, cancellationToken);
}
