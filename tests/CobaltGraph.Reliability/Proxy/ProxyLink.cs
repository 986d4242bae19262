using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace CobaltGraph.Reliability.Proxy;

/// <summary>One client's connection through the proxy.</summary>
internal sealed class ProxyLink(ChaosProxy proxy, int number, Socket client, Socket server) : IDisposable
{
    private readonly CancellationTokenSource _closed = new();
    private readonly MessageReader _fromServer = new(Direction.ToClient);
    private readonly Lock _gate = new();
    private volatile bool _silent;
    private bool _dropping;
    // The startup is answered as a query is.
    private int _asked = 1;
    private int _answered;
    private int _lastWanted;

    /// <summary>Passes messages until one end goes away, a fault closes the connection, or the proxy ends.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        client.NoDelay = server.NoDelay = true;
        await using var stop = stopping.Register(_closed.Cancel);
        await RunBothAsync();
    }

    public void Dispose()
    {
        _closed.Dispose();
        client.Dispose();
        server.Dispose();
    }

    private async Task RunBothAsync()
    {
        var toServer = PumpAsync(Direction.ToServer, client, server, new MessageReader(Direction.ToServer));
        var toClient = PumpAsync(Direction.ToClient, server, client, _fromServer);
        await Task.WhenAny(toServer, toClient);
        // A connection through which nothing passes stays open on the server's side, whatever the client does.
        if (_silent)
            await Task.WhenAny(Task.Delay(Timeout.Infinite, _closed.Token));
        await _closed.CancelAsync();
        await Task.WhenAll(toServer, toClient);
    }

    private async Task PumpAsync(Direction direction, Socket from, Socket to, MessageReader messages)
    {
        try
        {
            // Refused for a socket whose other end is gone already.
            await using var source = new NetworkStream(from);
            await using var target = new NetworkStream(to);
            var reader = PipeReader.Create(source, new StreamPipeReaderOptions(bufferSize: 32 * 1024, leaveOpen: true));
            var writer = PipeWriter.Create(target, new StreamPipeWriterOptions(leaveOpen: true));
            while (true)
            {
                var read = await reader.ReadAsync(_closed.Token);
                var buffer = read.Buffer;
                while (messages.TryRead(ref buffer, out var message, out var type, out var headerBytes))
                {
                    if (!await PassAsync(direction, type, message, headerBytes, writer))
                        return;
                }

                reader.AdvanceTo(buffer.Start, buffer.End);
                await writer.FlushAsync(_closed.Token);
                if (read.IsCompleted)
                {
                    if (_silent)
                        await StandStillAsync();
                    to.Shutdown(SocketShutdown.Send);
                    return;
                }
            }
        }
        catch (Exception end) when (end is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // One end went away, or a fault closed it.
        }
        catch (Exception problem)
        {
            proxy.Report($"Connection {number}, {direction}: {problem}");
        }
    }

    /// <returns>Whether this direction goes on.</returns>
    private async Task<bool> PassAsync(
        Direction direction, char type, ReadOnlySequence<byte> message, int headerBytes, PipeWriter writer)
    {
        if (_silent)
            return await StandStillAsync();
        if (direction == Direction.ToClient && IsDropped(type, out var last))
            return !last || Cut();

        if (type == ProxyMessage.Startup && MessageReader.AsksForEncryption(message))
            _fromServer.ExpectAnswer();
        if (type == ProxyMessage.Answer && message.FirstSpan[0] is (byte)'S' or (byte)'G')
            throw new NotSupportedException("The connection would be encrypted from here on. Connect with SSL Mode=Disable.");

        var body = message.Slice(headerBytes);
        var seen = new ProxyMessage(number, direction, type, body.IsSingleSegment ? body.First : body.ToArray());
        if (proxy.FaultOf(seen)?.Rule is not { } rule)
        {
            Forward();
            return true;
        }

        if (rule.Mode == FaultMode.Delay)
        {
            if (rule.Moment == FaultMoment.After)
                Forward();
            await writer.FlushAsync(_closed.Token);
            await Task.Delay(rule.Delay, _closed.Token);
            if (rule.Moment == FaultMoment.Before)
                Forward();
            return true;
        }

        if (rule.Mode == FaultMode.DropReply && direction == Direction.ToServer)
        {
            BeginDropping(type);
            Forward();
            await writer.FlushAsync(_closed.Token);
            return true;
        }

        if (rule.Moment == FaultMoment.After)
            Forward();
        // What came before the message arrived before the fault.
        await writer.FlushAsync(_closed.Token);
        if (rule.Mode != FaultMode.Blackhole)
            return Cut();
        _silent = true;
        return await StandStillAsync();

        void Forward()
        {
            Count(direction, type);
            foreach (var segment in message)
                writer.Write(segment.Span);
        }
    }

    private async Task<bool> StandStillAsync()
    {
        await Task.Delay(Timeout.Infinite, _closed.Token);
        return false;
    }

    // Always false, for whoever cuts has nothing more to pass.
    private bool Cut()
    {
        client.Close(0);
        // Not a reset: what the server has received already it still reads.
        server.Shutdown(SocketShutdown.Send);
        _closed.Cancel();
        return false;
    }

    // Every query and every sync is answered by one ReadyForQuery, copy data within its query.
    private void Count(Direction direction, char type)
    {
        lock (_gate)
        {
            if (direction == Direction.ToServer && type is 'Q' or 'S' or 'F')
                _asked++;
            else if (direction == Direction.ToClient && type == 'Z')
                _answered++;
        }
    }

    private void BeginDropping(char type)
    {
        lock (_gate)
        {
            _dropping = true;
            // Parse, bind and execute are answered at the sync that follows.
            _lastWanted = _asked + (type is 'd' or 'c' or 'f' ? 0 : 1);
        }
    }

    /// <param name="type">A message from the server.</param>
    /// <param name="last">Whether it completes the answer that must not arrive.</param>
    private bool IsDropped(char type, out bool last)
    {
        lock (_gate)
        {
            last = false;
            if (!_dropping)
                return false;
            if (type == 'Z')
                _answered++;
            // The answer to a COPY is the leave to begin; its ReadyForQuery comes after the data.
            last = _answered >= _lastWanted || (type == 'G' && _answered == _lastWanted - 1);
            return true;
        }
    }
}
