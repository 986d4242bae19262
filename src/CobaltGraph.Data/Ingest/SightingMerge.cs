using System.Net;
using System.Net.NetworkInformation;
using CobaltGraph.Model;
using Npgsql;
using NpgsqlTypes;

namespace CobaltGraph.Data.Ingest;

/// <summary>Stores sightings by one call of <c>merge_device_sightings</c>: one statement, all or none.</summary>
internal static class SightingMerge
{
    private const string Command =
        "SELECT new_devices, known_devices FROM merge_device_sightings($1, $2, $3, $4, $5, $6, $7)";

    /// <summary>
    /// A command that stores the sightings, in whatever transaction it runs. It gives one row: how many of the devices
    /// were new and how many known, as two <c>bigint</c>.
    /// </summary>
    /// <param name="sightings">What was seen, in any order; a device may be in it several times.</param>
    public static NpgsqlBatchCommand Create(IReadOnlyList<DeviceSighting> sightings)
    {
        var macs = new PhysicalAddress[sightings.Count];
        IPAddress?[]? addresses = null;
        string?[]? hostnames = null, vendors = null, types = null, sources = null;
        DateTime?[]? times = null;
        for (var i = 0; i < macs.Length; i++)
        {
            var sighting = sightings[i];
            macs[i] = sighting.MacAddress.ToPhysicalAddress();
            Put(ref addresses, i, Unmapped(sighting.IpAddress));
            Put(ref hostnames, i, sighting.Hostname);
            Put(ref vendors, i, sighting.Vendor);
            Put(ref types, i, sighting.DeviceType);
            Put(ref sources, i, sighting.Source);
            Put(ref times, i, sighting.SeenAt == default ? (DateTime?)null : sighting.SeenAt.UtcDateTime);
        }

        return new NpgsqlBatchCommand(Command)
        {
            Parameters =
            {
                Array(macs, NpgsqlDbType.MacAddr),
                Array(addresses, NpgsqlDbType.Inet),
                Array(hostnames, NpgsqlDbType.Text),
                Array(vendors, NpgsqlDbType.Text),
                Array(types, NpgsqlDbType.Text),
                Array(times, NpgsqlDbType.TimestampTz),
                Array(sources, NpgsqlDbType.Text),
            },
        };

        // An array of nothing is not sent.
        void Put<T>(ref T[]? values, int i, T value)
        {
            if (value is not null)
                (values ??= new T[macs.Length])[i] = value;
        }
    }

    // A dual-stack socket gives the addresses of IPv4 as ::ffff:a.b.c.d.
    private static IPAddress? Unmapped(IPAddress? address)
        => address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;

    private static NpgsqlParameter<T[]?> Array<T>(T[]? values, NpgsqlDbType type)
        => new() { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type };
}
