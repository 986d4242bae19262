using System.Text;

namespace CobaltGraph.Data.Tests.Import;

/// <summary>Damages good lines in ways that files are damaged; the same seed gives the same damage.</summary>
internal sealed class LogMutator(int seed)
{
    private static readonly byte[][] Splices =
    [
        .. new[]
        {
            "\t", "\n", "\r\n", "\0", "\\x00", "\\u0000", "\\ud800", "\"", "\\", "{", "}", "[", "]", ",", ":", "-", "#", "#fields\t", "1e200000",
            "NaN", "Infinity", "-0", "65536", "18446744073709551616", "null", "true", "\u001b[2J", "\u202e", "%", "/", "::", "255.255.255.256", "é", "(empty)",
            "\"ts\":1,", "\"_path\":\"dns\",", "99999999999999999999999999999999", "0.0000000000000000000000001",
            "\"\"", "\"\n", "\"\"\n\"\"", ",\"", "\",", "\r", "\\ud83d", "ff:ff:ff:ff:ff:ff", "\"metadata\":", "\"dst_port\":", "\"mac_address\":", "{}", "\"id\":", "1e-16384",
        }.Select(Encoding.UTF8.GetBytes),
        [0xFF, 0xFE], [0xC3], [0xED, 0xA0, 0x80], [0xEF, 0xBB, 0xBF],
        Encoding.UTF8.GetBytes(new string('[', 200)), Encoding.UTF8.GetBytes(new string('9', 400)), Encoding.UTF8.GetBytes(new string('x', 3000)),
        Encoding.UTF8.GetBytes(new string('[', 11_000)), Encoding.UTF8.GetBytes(new string('"', 101)),
    ];

    private readonly Random _random = new(seed);

    public byte[] Mutate(byte[] line, byte[] other)
    {
        var bytes = new List<byte>(line);
        for (var times = _random.Next(1, 4); times > 0 && bytes.Count > 0; times--)
        {
            var at = _random.Next(bytes.Count);
            switch (_random.Next(8))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << _random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)_random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 3:
                    bytes.RemoveRange(at, Math.Min(_random.Next(1, 20), bytes.Count - at));
                    break;
                case 4:
                    bytes.InsertRange(at, Splices[_random.Next(Splices.Length)]);
                    break;
                case 5:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(_random.Next(1, 40), bytes.Count - at)));
                    break;
                case 6:
                    bytes.RemoveRange(at, bytes.Count - at);
                    bytes.AddRange(other[_random.Next(other.Length)..]);
                    break;
                default:
                    var digit = bytes.FindIndex(at, b => b is >= (byte)'0' and <= (byte)'9');
                    if (digit >= 0)
                        bytes[digit] = (byte)('0' + _random.Next(10));
                    break;
            }
        }

        return [.. bytes];
    }
}
