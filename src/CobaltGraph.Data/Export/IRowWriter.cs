using CobaltGraph.Model;

namespace CobaltGraph.Data.Export;

/// <summary>Writes rows in one format.</summary>
internal interface IRowWriter : IAsyncDisposable
{
    void Write(Connection row);

    void Write(DeviceSighting row);

    /// <summary>Hands to the target what was written.</summary>
    ValueTask FlushAsync(CancellationToken cancellationToken);
}
