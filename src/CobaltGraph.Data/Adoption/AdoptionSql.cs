using System.Globalization;
using CobaltGraph.Data.Schema;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Adoption;

// Its statements run with nothing but pg_catalog on the search path: every table is named with its schema.
/// <summary>The SQL that reads the original's rows as ours.</summary>
internal sealed class AdoptionSql
{
    private const string DeviceColumns =
        "mac_address, ip_address, vendor, device_type, hostname, first_seen, last_seen, last_activity, status, confidence_score, "
        + "metadata, connection_count, threat_count";

    private const string ConnectionColumns =
        "id, \"timestamp\", src_mac, src_ip, dst_ip, dst_port, protocol, dst_country, dst_lat, dst_lon, dst_org, dst_hostname, "
        + "threat_score, threat_category, metadata";

    private const string EventColumns = "id, \"timestamp\", device_mac, event_type, old_value, new_value, metadata";

    // Notations that the server reads as macaddr; what it cannot read must not reach the cast.
    private const string MacPattern =
        "^([0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}|[0-9a-f]{1,2}(-[0-9a-f]{1,2}){5}|[0-9a-f]{6}[:-]?[0-9a-f]{6}|[0-9a-f]{4}([.-])[0-9a-f]{4}\\4[0-9a-f]{4})$";

    private static readonly string Statuses = TextList(Enum.GetValues<DeviceStatus>().Select(EnumText.ToText));

    private static readonly string EventTypes = TextList(Enum.GetValues<DeviceEventType>().Select(EnumText.ToText));

    private readonly OriginalDatabase _original;
    private readonly Func<string, string> _source;

    /// <summary>Creates the SQL for a database.</summary>
    /// <param name="original">The database.</param>
    /// <param name="source">Where a table of the original is now, qualified.</param>
    public AdoptionSql(OriginalDatabase original, Func<string, string> source)
    {
        _original = original;
        _source = source;
        Rules = [.. DeviceRules(), .. ConnectionRules(), .. EventRules()];
    }

    public IReadOnlyList<AdoptionRule> Rules { get; }

    /// <summary>
    /// Every notation of a MAC address with the address it means (null when it means none), what is wrong with it (null when
    /// nothing is), and the address when a device may have it.
    /// </summary>
    public string Macs => $"""
        SELECT r.text, r.address, r.problem, CASE WHEN r.problem IS NULL THEN r.address END AS mac
        FROM (
            SELECT a.text, a.address,
                   CASE WHEN a.address IS NULL THEN 'malformed'
                        WHEN a.address = '00:00:00:00:00:00'::macaddr THEN 'zero'
                        WHEN (a.address & '01:00:00:00:00:00'::macaddr) <> '00:00:00:00:00:00'::macaddr THEN 'multicast'
                   END AS problem
            FROM (
                SELECT u.text, CASE WHEN btrim(u.text) ~* '{MacPattern}' THEN btrim(u.text)::macaddr END AS address
                FROM (
                    SELECT mac_address::text AS text FROM {_source(OriginalTable.Devices)}
                    UNION
                    SELECT src_mac::text FROM {_source(OriginalTable.Connections)} GROUP BY src_mac
                    UNION
                    SELECT device_mac::text FROM {_source(OriginalTable.DeviceEvents)} GROUP BY device_mac
                ) AS u
                WHERE u.text IS NOT NULL
            ) AS a
        ) AS r
        """;

    public string Connections => _source(OriginalTable.Connections);

    /// <summary>Where a table of the original is.</summary>
    public string SourceOf(string table) => _source(table);

    /// <summary>What the connections give for each device, from the original's rows.</summary>
    public string Traffic => $"""
        SELECT m.mac, count(*) AS connections, count(*) FILTER (WHERE {ThreatScore} >= {Threshold}::real) AS threats,
               least(min(t."timestamp"), now()) AS first_at, least(max(t."timestamp"), now()) AS last_at
        FROM {_source(OriginalTable.Connections)} AS t
        JOIN macs AS m ON m.text = t.src_mac::text AND m.mac IS NOT NULL
        WHERE ({SetAside(OriginalTable.Connections)}) IS NOT TRUE
        GROUP BY m.mac
        """;

    private static string Threshold => ThreatScale.ThreatThreshold.ToString(CultureInfo.InvariantCulture);

    private string ThreatScore
        => $"""
            (CASE WHEN t.threat_score BETWEEN 0 AND 10 THEN {Real(_original.Connections, "threat_score")} WHEN t.threat_score > 10 AND t.threat_score <> 'NaN' THEN 10 ELSE 0 END)::real
            """;

    /// <summary>Rows by rule: the rows of the table, those that are set aside, then those of each of its rules.</summary>
    public string Count(string table)
    {
        var counts = Rules.Where(rule => rule.Table == table)
            .Select(rule => $",\n       count(*) FILTER (WHERE {rule.Condition})");
        return $"""
            SELECT count(*), count(*) FILTER (WHERE {SetAside(table)}){string.Concat(counts)}
            FROM {_source(table)} AS t
            LEFT JOIN macs AS m ON m.text = t.{MacColumn(table)}::text
            """;
    }

    /// <summary>
    /// What the devices become: their number, those made of several, those made for connections, those whose times the
    /// connections extend, and for both counters the devices where they differ, the sum they have, and that of the rows.
    /// </summary>
    public string CountDevices => $"""
        SELECT count(*), count(*) FILTER (WHERE d.members > 1), coalesce(sum(d.members) FILTER (WHERE d.members > 1), 0)::bigint,
               count(*) FILTER (WHERE d.members IS NULL),
               count(*) FILTER (WHERE d.is_extended),
               count(*) FILTER (WHERE d.old_connections IS DISTINCT FROM d.connection_count AND d.members > 0),
               coalesce(sum(d.old_connections), 0)::bigint, coalesce(sum(d.connection_count) FILTER (WHERE d.members > 0), 0)::bigint,
               count(*) FILTER (WHERE d.old_threats IS DISTINCT FROM d.threat_count AND d.members > 0),
               coalesce(sum(d.old_threats), 0)::bigint, coalesce(sum(d.threat_count) FILTER (WHERE d.members > 0), 0)::bigint
        FROM ({Devices("macs", "traffic")}) AS d
        """;

    // A piece is read through the key or in the order of its pages: sorting its wide rows would cost more than that order is worth.
    public string CopyConnections(string target, string macs) => $"""
        INSERT INTO {target} ({ConnectionColumns})
        SELECT t.id, t."timestamp", m.mac, t.src_ip, t.dst_ip,
               CASE WHEN t.dst_port BETWEEN 0 AND 65535 THEN t.dst_port ELSE 0 END,
               {Cut(_original.Connections, "protocol", 10)},
               {(IsLonger(_original.Connections, "dst_country", 2) ? "CASE WHEN char_length(t.dst_country::text) <= 2 THEN t.dst_country::text END" : "t.dst_country")},
               CASE WHEN t.dst_lat BETWEEN -90 AND 90 THEN {Real(_original.Connections, "dst_lat")} END,
               CASE WHEN t.dst_lon BETWEEN -180 AND 180 THEN {Real(_original.Connections, "dst_lon")} END,
               {Cut(_original.Connections, "dst_org", 255)}, {Cut(_original.Connections, "dst_hostname", 255)},
               {ThreatScore}, {Cut(_original.Connections, "threat_category", 50)},
               {Metadata(OriginalTable.Connections)}
        FROM {_source(OriginalTable.Connections)} AS t
        LEFT JOIN {macs} AS m ON m.text = t.src_mac::text
        WHERE t.id > $1 AND t.id <= $2 AND ({SetAside(OriginalTable.Connections)}) IS NOT TRUE
        """;

    public string CopyEvents(string target, string macs) => $"""
        INSERT INTO {target} ({EventColumns})
        SELECT t.id, t."timestamp", m.address, lower(btrim(t.event_type::text)), t.old_value, t.new_value, {Metadata(OriginalTable.DeviceEvents)}
        FROM {_source(OriginalTable.DeviceEvents)} AS t
        LEFT JOIN {macs} AS m ON m.text = t.device_mac::text
        WHERE t.id > $1 AND t.id <= $2 AND ({SetAside(OriginalTable.DeviceEvents)}) IS NOT TRUE
        """;

    public string CopyDevices(string target, string macs, string traffic) => $"""
        INSERT INTO {target} ({DeviceColumns})
        SELECT {DeviceColumns}
        FROM ({Devices(macs, traffic)}) AS d
        ORDER BY d.mac_address
        """;

    /// <summary>The end of a piece of rows in the order of their ids, and how many it has.</summary>
    public string NextPiece(string table) => $"""
        SELECT max(p.id)::bigint, count(*) FROM (SELECT id FROM {_source(table)} WHERE id > $1 ORDER BY id LIMIT $2) AS p
        """;

    public string CopySetAside(string table, string target, string macs)
    {
        var reasons = SettingAside(table).Select(rule => $"WHEN {rule.Condition} THEN {SqlText.Literal($"{rule.Column}: {rule.Problem}")}");
        return $"""
            INSERT INTO {target} (table_name, reason, row_data)
            SELECT {SqlText.Literal(table)}, CASE {string.Join(' ', reasons)} END, to_jsonb(t)
            FROM {_source(table)} AS t
            LEFT JOIN {macs} AS m ON m.text = t.{MacColumn(table)}::text
            WHERE {SetAside(table)}
            """;
    }

    // Of several rows that mean one device the one seen last comes first: what it knows holds. A device that was changed, or
    // made of several rows, keeps under "adopted" what it was.
    private string Devices(string macs, string traffic)
    {
        var table = _original.Devices;
        var added = string.Concat(table.Added.Select(column =>
            $",\n                   CASE WHEN k.originals -> 0 ->> {SqlText.Literal(column.Name)} IS NOT NULL THEN {SqlText.Literal(column.Name)} END"));
        return $"""
            WITH member AS (
                SELECT m.mac, t.ip_address, {Cut(table, "vendor", 255)} AS vendor, {Cut(table, "device_type", 50)} AS device_type,
                       {Cut(table, "hostname", 255)} AS hostname, lower(btrim(t.status::text)) AS status,
                       (CASE WHEN t.confidence_score BETWEEN 0 AND 1 THEN {Real(table, "confidence_score")}
                             WHEN t.confidence_score > 1 AND t.confidence_score <> 'NaN' THEN 1 ELSE 0 END)::real AS confidence_score,
                       (t.confidence_score BETWEEN 0 AND 1) IS NOT TRUE AS is_unsure,
                       CASE WHEN jsonb_typeof(t.metadata) = 'object' THEN t.metadata ELSE '{"{}"}' END AS metadata,
                       t.first_seen, t.last_seen, t.last_activity, t.connection_count, t.threat_count, to_jsonb(t) AS original,
                       row_number() OVER (
                           PARTITION BY m.mac
                           ORDER BY CASE WHEN isfinite(t.last_seen) THEN t.last_seen END DESC NULLS LAST, t.mac_address::text) AS rank
                FROM {_source(OriginalTable.Devices)} AS t
                JOIN {macs} AS m ON m.text = t.mac_address::text AND m.mac IS NOT NULL
            ),
            known AS (
                SELECT mac, count(*) AS members, jsonb_agg(original ORDER BY rank) AS originals,
                       (array_agg(ip_address ORDER BY rank) FILTER (WHERE ip_address IS NOT NULL))[1] AS ip_address,
                       (array_agg(vendor ORDER BY rank) FILTER (WHERE vendor IS NOT NULL))[1] AS vendor,
                       (array_agg(device_type ORDER BY rank) FILTER (WHERE device_type IS NOT NULL))[1] AS device_type,
                       (array_agg(hostname ORDER BY rank) FILTER (WHERE hostname IS NOT NULL))[1] AS hostname,
                       (array_agg(status ORDER BY rank) FILTER (WHERE status IN ({Statuses})))[1] AS status,
                       max(confidence_score) AS confidence_score, bool_or(is_unsure) AS is_unsure,
                       (array_agg(metadata ORDER BY rank))[1] AS metadata,
                       min(first_seen) FILTER (WHERE isfinite(first_seen)) AS first_at,
                       max(last_seen) FILTER (WHERE isfinite(last_seen)) AS last_at,
                       max(last_activity) FILTER (WHERE isfinite(last_activity)) AS activity_at,
                       min(first_seen) AS first_seen, max(last_seen) AS last_seen, max(last_activity) AS last_activity,
                       sum(connection_count) AS connections, sum(threat_count) AS threats
                FROM member
                GROUP BY mac
            ),
            device AS (
                SELECT coalesce(k.mac, x.mac) AS mac, k.members, k.originals, k.ip_address, k.vendor, k.device_type, k.hostname,
                       coalesce(k.status, 'discovered') AS status, coalesce(k.confidence_score, 0) AS confidence_score, k.is_unsure,
                       CASE WHEN k.members > 1 THEN (
                           SELECT coalesce(jsonb_object_agg(p.key, p.value ORDER BY o.rank DESC), '{"{}"}')
                           FROM jsonb_array_elements(k.originals) WITH ORDINALITY AS o(row, rank),
                                jsonb_each(CASE WHEN jsonb_typeof(o.row -> 'metadata') = 'object' THEN o.row -> 'metadata' ELSE '{"{}"}' END) AS p
                       ) ELSE coalesce(k.metadata, '{"{}"}') END AS metadata,
                       least(coalesce(k.first_at, s.last_seen), x.first_at, s.last_seen, a.last_activity) AS first_seen,
                       s.last_seen, a.last_activity,
                       coalesce(x.connections, 0) AS connection_count, coalesce(x.threats, 0) AS threat_count,
                       k.first_seen AS old_first_seen, k.last_seen AS old_last_seen, k.last_activity AS old_last_activity,
                       k.connections AS old_connections, k.threats AS old_threats,
                       (x.first_at < k.first_at OR x.last_at > k.last_at OR x.last_at > k.activity_at) IS TRUE AS is_extended
                FROM known AS k
                FULL JOIN {traffic} AS x ON x.mac = k.mac
                CROSS JOIN LATERAL (
                    SELECT least(coalesce(greatest(k.last_at, x.last_at), k.activity_at, k.first_at, now()), now()) AS last_seen
                ) AS s
                CROSS JOIN LATERAL (
                    SELECT least(coalesce(greatest(k.activity_at, x.last_at), s.last_seen), now()) AS last_activity
                ) AS a
            )
            SELECT k.mac AS mac_address, k.ip_address, k.vendor, k.device_type, k.hostname, k.first_seen, k.last_seen, k.last_activity,
                   k.status, k.confidence_score,
                   CASE WHEN k.members > 1 THEN {WithAdopted("k.metadata", "jsonb_build_object('merged', k.originals)")}
                        WHEN c.columns <> '{"{}"}' THEN {WithAdopted(
                            "k.metadata", "(SELECT jsonb_object_agg(n, k.originals -> 0 -> n) FROM unnest(c.columns) AS n)")}
                        ELSE k.metadata END AS metadata,
                   k.connection_count, k.threat_count, k.members, k.is_extended, k.old_connections, k.old_threats
            FROM device AS k
            CROSS JOIN LATERAL (
                SELECT CASE WHEN k.members = 1 THEN array_remove(ARRAY[
                   CASE WHEN k.originals -> 0 ->> 'vendor' IS DISTINCT FROM k.vendor THEN 'vendor' END,
                   CASE WHEN k.originals -> 0 ->> 'device_type' IS DISTINCT FROM k.device_type THEN 'device_type' END,
                   CASE WHEN k.originals -> 0 ->> 'hostname' IS DISTINCT FROM k.hostname THEN 'hostname' END,
                   CASE WHEN k.originals -> 0 ->> 'status' IS DISTINCT FROM k.status THEN 'status' END,
                   CASE WHEN k.is_unsure THEN 'confidence_score' END,
                   CASE WHEN jsonb_typeof(k.originals -> 0 -> 'metadata') <> 'object' THEN 'metadata' END,
                   CASE WHEN k.old_first_seen IS DISTINCT FROM k.first_seen THEN 'first_seen' END,
                   CASE WHEN k.old_last_seen IS DISTINCT FROM k.last_seen THEN 'last_seen' END,
                   CASE WHEN k.old_last_activity IS DISTINCT FROM k.last_activity THEN 'last_activity' END,
                   CASE WHEN k.old_connections IS DISTINCT FROM k.connection_count THEN 'connection_count' END,
                   CASE WHEN k.old_threats IS DISTINCT FROM k.threat_count THEN 'threat_count' END{added}
                ], NULL) ELSE '{"{}"}'::text[] END AS columns
            ) AS c
            """;
    }

    private IEnumerable<AdoptionRule> DeviceRules()
    {
        var table = _original.Devices;
        yield return Rule(table, "mac_address", "missing", "t.mac_address IS NULL", "set aside", setsAside: true);
        foreach (var rule in MacRules(table, "mac_address", "set aside; its connections stay, without a device", setsAside: true))
            yield return rule;

        yield return Rule(table, "mac_address", "another notation", "m.mac IS NOT NULL AND t.mac_address::text <> m.mac::text", "the same address, written as all are");
        foreach (var rule in LengthRules(table, ("vendor", 255), ("device_type", 50), ("hostname", 255)))
            yield return rule;

        foreach (var column in (string[])["first_seen", "last_seen", "last_activity"])
        {
            yield return Rule(table, column, "missing", $"t.{column} IS NULL", "taken from its other times and its connections");
            yield return Rule(table, column, "not finite", $"NOT isfinite(t.{column})", "taken from its other times and its connections");
            yield return Rule(table, column, "in the future", $"isfinite(t.{column}) AND t.{column} > now()", "the time of the adoption");
        }

        yield return Rule(
            table, "first_seen", "later than last_seen or last_activity",
            "isfinite(t.first_seen) AND t.first_seen <= now() AND t.first_seen > least(t.last_seen, t.last_activity)", "the earliest of them");
        yield return Rule(
            table, "status", "missing or unknown", $"(lower(btrim(t.status::text)) IN ({Statuses})) IS NOT TRUE",
            "discovered, until the next sweep");
        yield return Rule(
            table, "status", "written in another way",
            $"lower(btrim(t.status::text)) IN ({Statuses}) AND t.status::text <> lower(btrim(t.status::text))", "as all are written");
        yield return Rule(table, "confidence_score", "missing", "t.confidence_score IS NULL", "0");
        yield return Rule(
            table, "confidence_score", "not from 0 to 1", "t.confidence_score NOT BETWEEN 0 AND 1", "the nearer of 0 and 1; NaN is 0");
        foreach (var rule in MetadataRules(table).Concat(AddedRules(table)))
            yield return rule;
    }

    private IEnumerable<AdoptionRule> ConnectionRules()
    {
        var table = _original.Connections;
        foreach (var column in (string[])["id", "timestamp", "dst_ip"])
            yield return Rule(table, column, "missing", $"t.\"{column}\" IS NULL", "set aside", setsAside: true);
        yield return Rule(table, "timestamp", "not finite", "NOT isfinite(t.\"timestamp\")", "set aside", setsAside: true);
        foreach (var rule in MacRules(table, "src_mac", "stays, without a device", setsAside: false))
            yield return rule;
        yield return Rule(table, "dst_port", "missing", "t.dst_port IS NULL", "0");
        yield return Rule(table, "dst_port", "not from 0 to 65535", "t.dst_port NOT BETWEEN 0 AND 65535", "0");
        foreach (var rule in LengthRules(table, ("protocol", 10), ("dst_org", 255), ("dst_hostname", 255), ("threat_category", 50)))
            yield return rule;
        if (IsLonger(table, "dst_country", 2))
            yield return Rule(table, "dst_country", "longer than 2 characters", "char_length(t.dst_country::text) > 2", "unknown");
        yield return Rule(table, "dst_lat", "not from -90 to 90", "t.dst_lat NOT BETWEEN -90 AND 90", "unknown");
        yield return Rule(table, "dst_lon", "not from -180 to 180", "t.dst_lon NOT BETWEEN -180 AND 180", "unknown");
        yield return Rule(table, "threat_score", "missing", "t.threat_score IS NULL", "0");
        yield return Rule(
            table, "threat_score", "not from 0 to 10", "t.threat_score NOT BETWEEN 0 AND 10", "the nearer of 0 and 10; NaN is 0");
        foreach (var rule in MetadataRules(table).Concat(AddedRules(table)))
            yield return rule;
    }

    private IEnumerable<AdoptionRule> EventRules()
    {
        var table = _original.DeviceEvents;
        foreach (var column in (string[])["id", "timestamp"])
            yield return Rule(table, column, "missing", $"t.\"{column}\" IS NULL", "set aside", setsAside: true);
        yield return Rule(table, "device_mac", "missing or malformed", "m.address IS NULL", "set aside", setsAside: true);
        yield return Rule(
            table, "event_type", "missing or unknown", $"(lower(btrim(t.event_type::text)) IN ({EventTypes})) IS NOT TRUE", "set aside",
            setsAside: true);
        yield return Rule(
            table, "event_type", "written in another way",
            $"lower(btrim(t.event_type::text)) IN ({EventTypes}) AND t.event_type::text <> lower(btrim(t.event_type::text))",
            "as all are written");
        foreach (var rule in MetadataRules(table).Concat(AddedRules(table)))
            yield return rule;
    }

    private static IEnumerable<AdoptionRule> MacRules(OriginalTable table, string column, string outcome, bool setsAside)
    {
        yield return Rule(table, column, "malformed", "m.problem = 'malformed'", outcome, setsAside);
        yield return Rule(table, column, "all zero", "m.problem = 'zero'", outcome, setsAside);
        yield return Rule(table, column, "multicast", "m.problem = 'multicast'", outcome, setsAside);
    }

    private static IEnumerable<AdoptionRule> LengthRules(OriginalTable table, params (string Column, int Longest)[] columns)
        => from column in columns
           where IsLonger(table, column.Column, column.Longest)
           select Rule(
               table, column.Column,
               string.Create(CultureInfo.InvariantCulture, $"longer than {column.Longest} characters"),
               string.Create(CultureInfo.InvariantCulture, $"char_length(t.{column.Column}::text) > {column.Longest}"),
               "cut to that");

    private static IEnumerable<AdoptionRule> MetadataRules(OriginalTable table)
    {
        yield return Rule(table, "metadata", "missing", "t.metadata IS NULL", "empty");
        yield return Rule(table, "metadata", "not an object", "jsonb_typeof(t.metadata) <> 'object'", "empty");
    }

    private static IEnumerable<AdoptionRule> AddedRules(OriginalTable table)
        => table.Added.Select(column => Rule(
            table, column.Name, "a column that was added", $"t.{SqlText.Identifier(column.Name)} IS NOT NULL", "its value goes to metadata"));

    private static AdoptionRule Rule(
        OriginalTable table, string column, string problem, string condition, string outcome, bool setsAside = false)
        => new(table.Name, column, problem, condition, outcome, setsAside);

    private IEnumerable<AdoptionRule> SettingAside(string table)
        => Rules.Where(rule => rule.Table == table && rule.SetsAside);

    private string SetAside(string table)
        => string.Join(" OR ", SettingAside(table).Select(rule => $"({rule.Condition})"));

    // Looking up what was wrong is left to the few rows where something was.
    private string Metadata(string table)
    {
        const string metadata = "(CASE WHEN jsonb_typeof(t.metadata) = 'object' THEN t.metadata ELSE '{}' END)";
        var repairs = Rules.Where(rule => rule.Table == table && !rule.SetsAside)
            .GroupBy(rule => rule.Column)
            .Select(column => (column.Key, Condition: string.Join(" OR ", column.Select(rule => $"({rule.Condition})"))))
            .ToList();
        var columns = repairs.Select(column => $"CASE WHEN {column.Condition} THEN {SqlText.Literal(column.Key)} END");
        var values =
            $"(SELECT jsonb_object_agg(n, to_jsonb(t) -> n) FROM unnest(array_remove(ARRAY[{string.Join(", ", columns)}], NULL)) AS n)";
        return $"""
            CASE WHEN {string.Join(" OR ", repairs.Select(column => column.Condition))}
                 THEN {WithAdopted(metadata, values)} ELSE {metadata} END
            """;
    }

    // A key of that name of the row's own goes inside.
    private static string WithAdopted(string metadata, string values)
        => $$"""
            {{metadata}} || jsonb_build_object('adopted', {{values}}
                || CASE WHEN {{metadata}} ? 'adopted' THEN jsonb_build_object('adopted', {{metadata}} -> 'adopted') ELSE '{}' END)
            """;

    private static bool IsLonger(OriginalTable table, string column, int longest)
        => table.Columns[column].MaxLength is not { } most || most > longest;

    private static string Cut(OriginalTable table, string column, int longest)
        => IsLonger(table, column, longest)
            ? string.Create(CultureInfo.InvariantCulture, $"left(t.{column}::text, {longest})")
            : $"t.{column}::text";

    // The server refuses to make 0 of a number that real is too coarse for.
    private static string Real(OriginalTable table, string column)
        => table.Columns[column].Type == "float4"
            ? $"t.{column}"
            : $"(CASE WHEN abs(t.{column}) < 1e-37 THEN 0 ELSE t.{column} END)::real";

    private static string MacColumn(string table) => table switch
    {
        OriginalTable.Devices => "mac_address",
        OriginalTable.Connections => "src_mac",
        _ => "device_mac",
    };

    private static string TextList(IEnumerable<string> texts) => string.Join(", ", texts.Select(SqlText.Literal));
}
