namespace CobaltGraph.Data.Adoption;

/// <summary>How far an adoption is.</summary>
/// <param name="Step">What it does.</param>
/// <param name="Rows">Rows copied so far.</param>
/// <param name="Fraction">About how much of the whole is done, 0 to 1.</param>
internal readonly record struct AdoptionProgress(AdoptionStep Step, long Rows, double Fraction);

/// <summary>The steps of an adoption, in order.</summary>
internal enum AdoptionStep
{
    /// <summary>Looks at every row.</summary>
    Survey,

    /// <summary>Moves the old tables aside and makes ours.</summary>
    Tables,

    /// <summary>Copies connections and events.</summary>
    Rows,

    /// <summary>Builds indexes.</summary>
    Indexes,

    /// <summary>Derives devices, edges and all else that is kept beside the connections.</summary>
    Derived,

    /// <summary>Is about to commit.</summary>
    Commit,
}
