namespace CobaltGraph.Data.Export;

/// <summary>How an export is written. Both are UTF-8 and are read by <c>cobaltgraph import</c>.</summary>
public enum ExportFormat
{
    /// <summary>One JSON object per line, whose keys are the columns; what is unknown is left out.</summary>
    Ndjson = 0,

    /// <summary>RFC 4180 with commas, under a header of all columns; what is unknown is an empty field.</summary>
    Csv = 1,
}
