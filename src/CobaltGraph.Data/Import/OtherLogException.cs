namespace CobaltGraph.Data.Import;

/// <summary>
/// Within an <see cref="InvalidDataException"/>: the file is a log of Zeek from its first line on, and none that can be imported.
/// </summary>
internal sealed class OtherLogException : Exception
{
    public static bool IsIn(InvalidDataException error)
    {
        for (var inner = error.InnerException; inner is not null; inner = inner.InnerException)
        {
            if (inner is OtherLogException)
                return true;
        }

        return false;
    }
}
