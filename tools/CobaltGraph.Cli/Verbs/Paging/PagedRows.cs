using System.Runtime.CompilerServices;
using CobaltGraph.Data.Queries;

namespace CobaltGraph.Cli.Verbs.Paging;

/// <summary>The rows that a command line asks for, read page by page.</summary>
/// <param name="limit">Most rows; 0 for all.</param>
/// <param name="cursor">Where to begin; null for the first row. Then it is one page of the query.</param>
/// <param name="read">Reads a page of the query.</param>
internal sealed class PagedRows<T>(int limit, string? cursor, Func<PageRequest, Task<Page<T>>> read)
{
    /// <summary>Cursor of the rows that follow, null when there are none; known when all rows have been read.</summary>
    public string? Next { get; private set; }

    /// <summary>Cursor of the rows that precede, null when there are none; known when a row has been read.</summary>
    public string? Previous { get; private set; }

    /// <summary>How many rows have been read.</summary>
    public long Count { get; private set; }

    public async IAsyncEnumerable<T> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var wanted = limit == 0 ? long.MaxValue : limit;
        do
        {
            cancellationToken.ThrowIfCancellationRequested();
            var page = await read(cursor is not null
                ? new PageRequest { Limit = limit, Cursor = cursor }
                : new PageRequest { Limit = (int)Math.Min(wanted - Count, PageRequest.MaxLimit), Cursor = Next });
            if (Count == 0) Previous = page.Previous;
            Next = page.Next;
            foreach (var row in page.Items)
            {
                Count++;
                yield return row;
            }
        }
        while (cursor is null && Next is not null && Count < wanted);
    }
}
