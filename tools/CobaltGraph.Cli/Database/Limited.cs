using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Cli.Database;

/// <summary>The first rows of a query, and whether there are more.</summary>
internal sealed class Limited<T>(IQueryable<T> query, int limit)
{
    /// <summary>Whether rows were left out; known when all rows have been read.</summary>
    public bool HasMore { get; private set; }

    public async IAsyncEnumerable<T> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // One more than wanted tells whether there are more.
        var rows = limit is 0 or int.MaxValue ? query : query.Take(limit + 1);
        var count = 0;
        await foreach (var row in rows.AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            if (limit > 0 && count == limit)
            {
                HasMore = true;
                yield break;
            }

            count++;
            yield return row;
        }
    }
}
