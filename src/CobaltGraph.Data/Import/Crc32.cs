namespace CobaltGraph.Data.Import;

/// <summary>The checksum of gzip (RFC 1952, section 8), four bytes at a time.</summary>
internal static class Crc32
{
    private static readonly uint[][] Tables = CreateTables();

    public static uint Append(uint crc, ReadOnlySpan<byte> data)
    {
        var (t0, t1, t2, t3) = (Tables[0], Tables[1], Tables[2], Tables[3]);
        crc = ~crc;
        while (data.Length >= 4)
        {
            crc ^= System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(data);
            crc = t3[crc & 0xFF] ^ t2[(crc >> 8) & 0xFF] ^ t1[(crc >> 16) & 0xFF] ^ t0[crc >> 24];
            data = data[4..];
        }

        foreach (var value in data)
            crc = t0[(crc ^ value) & 0xFF] ^ (crc >> 8);
        return ~crc;
    }

    private static uint[][] CreateTables()
    {
        var tables = new uint[4][];
        for (var t = 0; t < 4; t++)
        {
            tables[t] = new uint[256];
            for (uint i = 0; i < 256; i++)
            {
                var value = i;
                if (t == 0)
                {
                    for (var bit = 0; bit < 8; bit++)
                        value = (value & 1) != 0 ? 0xEDB88320 ^ (value >> 1) : value >> 1;
                }
                else
                {
                    var before = tables[t - 1][i];
                    value = tables[0][before & 0xFF] ^ (before >> 8);
                }

                tables[t][i] = value;
            }
        }

        return tables;
    }
}
