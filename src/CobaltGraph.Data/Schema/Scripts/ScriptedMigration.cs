using System.Globalization;

namespace CobaltGraph.Data.Schema.Scripts;

/// <summary>A migration as its scripts need it.</summary>
/// <param name="Number">Its place among all migrations, from 1 on.</param>
/// <param name="Id">As the history has it.</param>
/// <param name="Up">What applies it.</param>
/// <param name="Down">What reverts it.</param>
/// <param name="Preparation">What is done before it where much is stored.</param>
internal sealed record ScriptedMigration(
    int Number, string Id, ScriptedDirection Up, ScriptedDirection Down, IPreparedMigration? Preparation = null)
{
    /// <summary>The id without its timestamp, which a number replaces: the begin of the names of its files.</summary>
    public string FileName
        => string.Create(CultureInfo.InvariantCulture, $"{Number:0000}_{Id[(Id.IndexOf('_', StringComparison.Ordinal) + 1)..]}");
}
