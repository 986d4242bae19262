using System.Net;
using System.Net.NetworkInformation;
using CobaltGraph.Model;
using Npgsql;
using NpgsqlTypes;

namespace CobaltGraph.Data.Ingest;

/// <summary>Parameters of the function <c>merge_device_sightings</c>.</summary>
internal static class SightingMerge
{
    /// <summary>Adds its seven arrays.</summary>
    public static void AddParameters(
        NpgsqlParameterCollection parameters, IRecordBuffer<DeviceSighting> sightings, int start, int count)
    {
        var macs = new PhysicalAddress[count];
        IPAddress?[]? addresses = null;
        string?[]? hostnames = null, vendors = null, types = null, sources = null;
        var times = new DateTime[count];
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
        }

        Add(macs, NpgsqlDbType.MacAddr);
        Add(addresses, NpgsqlDbType.Inet);
        Add(hostnames, NpgsqlDbType.Text);
        Add(vendors, NpgsqlDbType.Text);
        Add(types, NpgsqlDbType.Text);
        Add(times, NpgsqlDbType.TimestampTz);
        Add(sources, NpgsqlDbType.Text);

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
