using System.Net;
using System.Net.NetworkInformation;
using Npgsql;
using NpgsqlTypes;

namespace CobaltGraph.Data.Ingest;

/// <summary>The call that merges sightings: <c>merge_device_sightings</c>, or <c>merge_sightings_with_metadata</c>.</summary>
internal static class SightingMerge
{
    // The statement is one message of at most 1 GB, and jsonb can be several times as long as its text.
    internal const long MostMetadata = 32L << 20;

    /// <summary>Adds seven arrays, and the two for metadata and confidence where a sighting says something of them.</summary>
    /// <returns>The call of the function that takes these.</returns>
    /// <exception cref="StatementTooLongException">Several sightings have too much metadata for one statement.</exception>
    public static string Call(
        NpgsqlParameterCollection parameters, SightingBuffer sightings, int start, int count)
    {
        var first = parameters.Count + 1;
        var macs = new PhysicalAddress[count];
        IPAddress?[]? addresses = null;
        string?[]? hostnames = null, vendors = null, types = null, sources = null, metadata = null;
        float?[]? scores = null;
        var times = new DateTime[count];
        var characters = 0L;
        for (var i = 0; i < count; i++)
        {
            var sighting = sightings[start + i];
            macs[i] = sighting.MacAddress.ToPhysicalAddress();
            times[i] = sightings.TimeOf(start + i).UtcDateTime;
            Put(ref addresses, i, sighting.IpAddress?.Unmapped());
            Put(ref hostnames, i, sighting.Hostname);
            Put(ref vendors, i, sighting.Vendor);
            Put(ref types, i, sighting.DeviceType);
            Put(ref sources, i, sighting.Source);
            Put(ref metadata, i, sightings.MetadataOf(start + i));
            characters += metadata?[i]?.Length ?? 0;
            if (sighting.ConfidenceScore is { } score)
                (scores ??= new float?[count])[i] = score;
        }

        if (characters > MostMetadata && count > 1)
            throw new StatementTooLongException($"{count} sightings have {characters} characters of metadata");
        if (characters > 8 * MostMetadata)
        {
            throw new NotSupportedException(
                $"The metadata of one sighting has {characters >> 20} million characters, more than the {8 * MostMetadata >> 20} that a statement takes.");
        }

        Add(macs, NpgsqlDbType.MacAddr);
        Add(addresses, NpgsqlDbType.Inet);
        Add(hostnames, NpgsqlDbType.Text);
        Add(vendors, NpgsqlDbType.Text);
        Add(types, NpgsqlDbType.Text);
        Add(times, NpgsqlDbType.TimestampTz);
        Add(sources, NpgsqlDbType.Text);
        var function = "merge_device_sightings";
        if (metadata is not null || scores is not null)
        {
            function = "merge_sightings_with_metadata";
            Add(metadata, NpgsqlDbType.Jsonb);
            Add(scores, NpgsqlDbType.Real);
        }

        return $"{function}({string.Join(", ", Enumerable.Range(first, parameters.Count + 1 - first).Select(i => $"${i}"))})";

        // An array of nothing is not sent.
        void Put<T>(ref T?[]? values, int i, T? value)
            where T : class
        {
            if (value is not null)
                (values ??= new T?[count])[i] = value;
        }

        void Add<T>(T[]? values, NpgsqlDbType type)
            => parameters.Add(new NpgsqlParameter
            {
                Value = (object?)values ?? DBNull.Value,
                NpgsqlDbType = NpgsqlDbType.Array | type,
            });
    }
}
