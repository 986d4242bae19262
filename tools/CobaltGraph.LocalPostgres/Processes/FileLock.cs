namespace CobaltGraph.LocalPostgres.Processes;

/// <summary>A lock between processes that the operating system releases however its holder ends.</summary>
internal sealed class FileLock : IDisposable
{
    private readonly FileStream _stream;

    private FileLock(FileStream stream) => _stream = stream;

    /// <summary>Waits for the lock; <paramref name="waiting"/> runs once when somebody else holds it.</summary>
    public static async Task<FileLock> TakeAsync(
        string path, TimeSpan timeout, Action? waiting, CancellationToken cancellationToken)
    {
        var deadline = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (UnauthorizedAccessException failure)
            {
                throw new LocalPostgresException($"The file {path} cannot be written: {failure.Message}", failure);
            }
            catch (IOException failure) when (!IsHeldByAnother(failure))
            {
                throw new LocalPostgresException($"The file {path} cannot be written: {failure.Message}", failure);
            }
            catch (IOException failure)
            {
                waiting?.Invoke();
                waiting = null;
                if (TimeProvider.System.GetElapsedTime(deadline) > timeout)
                {
                    throw new LocalPostgresException(
                        $"Another command has held {path} for more than {timeout.TotalMinutes:0} minutes ({failure.Message}). Wait for it to end, then try again.", failure);
                }
            }

            await Task.Delay(50, cancellationToken);
        }
    }

    // EWOULDBLOCK on Linux and macOS, a sharing violation on Windows.
    private static bool IsHeldByAnother(IOException failure) =>
        failure.HResult is 11 or 35 or unchecked((int)0x80070020);

    public void Dispose() => _stream.Dispose();
}
