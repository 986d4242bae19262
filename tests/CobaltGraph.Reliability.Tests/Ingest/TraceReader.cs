using CobaltGraph.Reliability.Proxy;

namespace CobaltGraph.Reliability.Tests.Ingest;

/// <summary>Finds the messages of a clean batch.</summary>
internal sealed class TraceReader(IReadOnlyList<TracedMessage> trace)
{
    /// <summary>Place of the first message from a place on.</summary>
    public int First(int from, Direction direction, Func<TracedMessage, bool> predicate)
    {
        for (var i = from; i < trace.Count; i++)
        {
            if (trace[i].Direction == direction && predicate(trace[i]))
                return i;
        }

        throw new InvalidOperationException(
            $"A clean batch shows no such message:\n{string.Join('\n', trace.Select(m => $"{m.Direction} {m.Type} {m.Text}"))}");
    }

    /// <summary>Places of all such messages.</summary>
    public IReadOnlyList<int> Places(Func<TracedMessage, bool> predicate)
        => [.. trace.Index().Where(m => predicate(m.Item)).Select(m => m.Index)];

    /// <summary>The message at a place, as where a fault can happen.</summary>
    public FaultPoint At(string name, int index, string? text = null)
    {
        var message = trace[index];
        var nth = trace.Take(index + 1).Count(m => m.Direction == message.Direction && m.Type == message.Type);
        return new FaultPoint(name, message.Direction, message.Type, nth, text);
    }
}
