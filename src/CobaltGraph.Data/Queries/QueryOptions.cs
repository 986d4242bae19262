using System.Security.Cryptography;

namespace CobaltGraph.Data.Queries;

/// <summary>
/// Settings of the queries. To change them, add one to the application's services:
/// <c>services.AddSingleton(new QueryOptions { CursorKey = key })</c>.
/// </summary>
public sealed class QueryOptions
{
    /// <summary>Fewest octets of <see cref="CursorKey"/>.</summary>
    public const int MinCursorKeyLength = 16;

    private static readonly byte[] ProcessKey = RandomNumberGenerator.GetBytes(32);

    private readonly byte[] _cursorKey = ProcessKey;

    /// <summary>
    /// The secret that cursors are signed with, at least <see cref="MinCursorKeyLength"/> octets. By default a random key of
    /// this process: its cursors are refused after a restart and by other servers. Servers that share a key take each
    /// other's cursors.
    /// </summary>
    /// <exception cref="ArgumentException">The key is too short.</exception>
    public ReadOnlyMemory<byte> CursorKey
    {
        get => _cursorKey;
        init
        {
            if (value.Length < MinCursorKeyLength)
            {
                throw new ArgumentException(
                    $"CursorKey has {value.Length} octets; give at least {MinCursorKeyLength}, chosen at random.", nameof(value));
            }

            _cursorKey = value.ToArray();
        }
    }
}
