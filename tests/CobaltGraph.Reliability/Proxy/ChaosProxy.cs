using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace CobaltGraph.Reliability.Proxy;

/// <summary>
/// Stands between a client and a server, knows where one PostgreSQL message ends and the next begins, and does harm at
/// the message that a rule names. Listens on loopback only. Encrypted connections are not understood.
/// </summary>
public sealed class ChaosProxy : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly DnsEndPoint _server;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<int, Task> _links = new();
    private readonly ConcurrentQueue<string> _problems = new();
    private readonly Task _accepting;
    private Fault[] _faults = [];
    private ConcurrentQueue<TracedMessage>? _trace;
    private int _count;
    private bool _disposed;

    private ChaosProxy(DnsEndPoint server)
    {
        _server = server;
        _listener = new TcpListener(IPAddress.Loopback, 0);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    /// <summary>The port on 127.0.0.1 that the client connects to.</summary>
    public int Port { get; }

    /// <summary>Connections that were opened so far.</summary>
    public int Connections => Volatile.Read(ref _count);

    /// <summary>Connections to the server that are still open, those that nothing passes through among them.</summary>
    public int OpenConnections => _links.Count;

    /// <summary>What went wrong in the proxy itself. Not empty: the test proves nothing.</summary>
    public IReadOnlyCollection<string> Problems => _problems;

    /// <summary>Starts a proxy in front of a server on 127.0.0.1.</summary>
    /// <param name="serverPort">The server's port.</param>
    public static ChaosProxy Start(int serverPort) => new(new DnsEndPoint("127.0.0.1", serverPort));

    /// <summary>Starts a proxy in front of the server that a connection string names.</summary>
    /// <param name="connectionString">Connects to the server itself.</param>
    public static ChaosProxy StartFor(string connectionString)
    {
        var server = new NpgsqlConnectionStringBuilder(connectionString);
        return new(new DnsEndPoint(server.Host!, server.Port));
    }

    /// <summary>The same connection string, through the proxy.</summary>
    /// <param name="connectionString">Connects to the server itself.</param>
    public string ConnectionStringOf(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString)
    {
        Host = "127.0.0.1",
        Port = Port,
        SslMode = SslMode.Disable,
        GssEncryptionMode = GssEncryptionMode.Disable,
    }.ConnectionString;

    /// <summary>Puts a rule in force.</summary>
    /// <param name="rule">The fault and the message that sets it off.</param>
    public Fault Arm(FaultRule rule)
    {
        var fault = new Fault(rule);
        Fault[] before, after;
        do
        {
            before = Volatile.Read(ref _faults);
            after = [.. before, fault];
        }
        while (Interlocked.CompareExchange(ref _faults, after, before) != before);
        return fault;
    }

    /// <summary>Takes all rules away; what happened already stays.</summary>
    public void Disarm() => Volatile.Write(ref _faults, []);

    /// <summary>Begins to remember every message that passes.</summary>
    public void BeginTrace() => Volatile.Write(ref _trace, new ConcurrentQueue<TracedMessage>());

    /// <summary>Ends remembering, and gives what was.</summary>
    public IReadOnlyList<TracedMessage> EndTrace() => Interlocked.Exchange(ref _trace, null)?.ToArray() ?? [];

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_links.Values);
        _stopping.Dispose();
    }

    internal Fault? FaultOf(ProxyMessage message)
    {
        Volatile.Read(ref _trace)?.Enqueue(TracedMessage.Of(message));
        Fault? met = null;
        foreach (var fault in Volatile.Read(ref _faults))
        {
            // Every rule counts the message, the first one that it sets off acts.
            if (met is null && fault.Meets(message))
                met = fault;
        }

        return met;
    }

    internal void Report(string problem) => _problems.Enqueue(problem);

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptSocketAsync(_stopping.Token);
            }
            catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }

            var number = Interlocked.Increment(ref _count);
            _links[number] = Task.CompletedTask;
            _links.TryUpdate(number, ServeAsync(number, client), Task.CompletedTask);
        }
    }

    private async Task ServeAsync(int number, Socket client)
    {
        var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await server.ConnectAsync(_server, _stopping.Token);
        }
        catch (Exception down) when (down is SocketException or OperationCanceledException)
        {
            // As the server itself would refuse it.
            client.Close(0);
            server.Dispose();
            _links.TryRemove(number, out _);
            return;
        }

        using (var link = new ProxyLink(this, number, client, server))
            await link.RunAsync(_stopping.Token);
        _links.TryRemove(number, out _);
    }
}
