namespace CobaltGraph.Data.Adoption;

/// <summary>A database of the original, ready to be adopted.</summary>
/// <param name="Schema">The schema that holds it.</param>
/// <param name="Target">The schema that it is adopted into; often the same.</param>
/// <param name="TargetExists">Whether that schema exists.</param>
/// <param name="Devices">Its devices.</param>
/// <param name="Connections">Its connections.</param>
/// <param name="DeviceEvents">Its trail.</param>
/// <param name="HasMigrationTable">Whether its list of migrations is there.</param>
internal sealed record OriginalDatabase(
    string Schema,
    string Target,
    bool TargetExists,
    OriginalTable Devices,
    OriginalTable Connections,
    OriginalTable DeviceEvents,
    bool HasMigrationTable)
{
    public IEnumerable<OriginalTable> Tables => [Devices, Connections, DeviceEvents];

    /// <summary>The names of its tables, the list of migrations included.</summary>
    public IEnumerable<string> TableNames
        => Tables.Select(table => table.Name).Concat(HasMigrationTable ? [OriginalTable.SchemaMigrations] : []);
}
