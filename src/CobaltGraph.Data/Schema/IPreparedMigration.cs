namespace CobaltGraph.Data.Schema;

/// <summary>A migration with work that is done before it where much is stored, so that the migration itself is short.</summary>
internal interface IPreparedMigration
{
    /// <summary>What a notice of the statement about its progress has for a code.</summary>
    const string NoticeCode = "CG002";

    /// <summary>What the statement does, in words, for the head of a script.</summary>
    string PreparationEffect { get; }

    /// <summary>
    /// One statement for the schema that is first on the search path, outside of transactions, for it ends transactions of its
    /// own. It runs when the migration before is applied and this one is next; it may be stopped at any time and repeated, and
    /// does nothing where there is little to do.
    /// </summary>
    string Preparation { get; }
}
