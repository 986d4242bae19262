namespace CobaltGraph.Data.Import;

/// <summary>
/// Within an <see cref="InvalidDataException"/>: the file is, from its first line on, another log of Zeek or none at all, as sensors
/// leave them beside those that can be imported.
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
