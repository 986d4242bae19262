using System.Runtime.InteropServices;

namespace CobaltGraph.Cli.Terminal;

/// <summary>
/// Standard output that tells when nobody reads it any more. The console's own stream takes what is written then, and a
/// command that ends well although most of its answer is lost is believed.
/// </summary>
internal sealed class StandardOutput : Stream
{
    private const int File = 1;
    private const int Interrupted = 4;
    private const int Broken = 32;

    private const int Again = 11;
    private const int AgainOfMac = 35;

    private readonly bool _throws;

    private StandardOutput(bool throws) => _throws = throws;

    /// <summary>Whether nobody reads it any more.</summary>
    public bool IsBroken { get; private set; }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>The stream of this process. Windows has no signal and no number for it; there it is the console's.</summary>
    /// <param name="throws">
    /// Whether writing fails when nobody reads it; otherwise what is written then goes nowhere, and <see cref="IsBroken"/> tells.
    /// </param>
    public static Stream Open(bool throws) => OperatingSystem.IsWindows() ? Console.OpenStandardOutput() : new StandardOutput(throws);

    /// <exception cref="BrokenPipeException">Nobody reads it.</exception>
    /// <exception cref="IOException">It cannot be written, for example because a disk is full.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!IsBroken && !buffer.IsEmpty)
        {
            var written = write(File, ref MemoryMarshal.GetReference(buffer), (nuint)buffer.Length);
            if (written >= 0)
            {
                buffer = buffer[(int)written..];
                continue;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case Interrupted:
                    continue;
                // Somebody else, who has the same file open, does not want to wait.
                case Again or AgainOfMac:
                    Thread.Sleep(1);
                    continue;
                case Broken:
                    IsBroken = true;
                    if (_throws) throw new BrokenPipeException();
                    break;
                case var error:
                    throw new IOException($"Standard output cannot be written: {Marshal.GetPInvokeErrorMessage(error)}.");
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    [DllImport("libc", EntryPoint = "write", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint write(int file, ref byte buffer, nuint count);
}

/// <summary>Whoever read the output has stopped.</summary>
internal sealed class BrokenPipeException() : IOException("Nobody reads standard output any more.");
