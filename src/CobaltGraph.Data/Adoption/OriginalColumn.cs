namespace CobaltGraph.Data.Adoption;

/// <summary>A column of a table of the original.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The server's short name of its type, for example <c>varchar</c>.</param>
/// <param name="MaxLength">Characters that it holds at most; null without a limit.</param>
/// <param name="IsNullable">Whether it takes NULL.</param>
internal sealed record OriginalColumn(string Name, string Type, int? MaxLength, bool IsNullable);
