using System.Collections.Frozen;
using System.Linq.Expressions;
using System.Net;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Queries;

/// <summary>How a list of devices is put in order, and begun in its middle.</summary>
internal abstract class DeviceSortKey
{
    private static readonly FrozenDictionary<DeviceSortColumn, DeviceSortKey> Keys = new Dictionary<DeviceSortColumn, DeviceSortKey>
    {
        [DeviceSortColumn.MacAddress] = new Key<MacAddress>(d => d.MacAddress),
        [DeviceSortColumn.IpAddress] = new Key<IPAddress?>(d => d.IpAddress),
        [DeviceSortColumn.Vendor] = new Key<string?>(d => d.Vendor),
        [DeviceSortColumn.DeviceType] = new Key<string?>(d => d.DeviceType),
        [DeviceSortColumn.Hostname] = new Key<string?>(d => d.Hostname),
        [DeviceSortColumn.Status] = new Key<long>(d =>
            d.Status == DeviceStatus.Discovered ? 0 : d.Status == DeviceStatus.Active ? 1 : d.Status == DeviceStatus.Idle ? 2 : 3),
        [DeviceSortColumn.FirstSeen] = new Key<DateTimeOffset>(d => d.FirstSeen),
        [DeviceSortColumn.LastSeen] = new Key<DateTimeOffset>(d => d.LastSeen),
        [DeviceSortColumn.ConnectionCount] = new Key<long>(d => d.ConnectionCount),
        [DeviceSortColumn.ThreatCount] = new Key<long>(d => d.ThreatCount),
        [DeviceSortColumn.ThreatScore] = new Key<long>(d => d.ThreatScore),
        [DeviceSortColumn.MaxThreatScore] = new Key<float>(d => d.MaxThreatScore),
        [DeviceSortColumn.LastThreat] = new Key<DateTimeOffset?>(d => d.LastThreat),
        [DeviceSortColumn.LastActivity] = new Key<DateTimeOffset>(d => d.LastActivity),
        [DeviceSortColumn.ConfidenceScore] = new Key<float>(d => d.ConfidenceScore),
    }.ToFrozenDictionary();

    /// <exception cref="QueryFilterException">There is no such column.</exception>
    public static DeviceSortKey Of(DeviceSortColumn column)
        => Keys.TryGetValue(column, out var key)
            ? key
            : throw new QueryFilterException(
                "sort", column.ToString(), "is not a column to sort by", string.Join(", ", Enum.GetNames<DeviceSortColumn>()));

    /// <summary>The rows in order, or against it.</summary>
    public abstract IQueryable<DeviceListItem> Order(IQueryable<DeviceListItem> rows, bool descending, bool backward);

    /// <summary>The rows behind a position, or before it when it says so.</summary>
    public abstract IQueryable<DeviceListItem> Beyond(IQueryable<DeviceListItem> rows, bool descending, CursorPosition position);

    /// <summary>The position of a row.</summary>
    public abstract object?[] Of(DeviceListItem row);

    private sealed class Key<T>(Expression<Func<DeviceListItem, T>> column) : DeviceSortKey
    {
        private readonly Func<DeviceListItem, T> _value = column.Compile();

        private readonly Expression<Func<DeviceListItem, bool>>? _isNull = default(T) is null
            ? Expression.Lambda<Func<DeviceListItem, bool>>(
                Expression.Equal(column.Body, Expression.Constant(null, typeof(T))), column.Parameters)
            : null;

        public override object?[] Of(DeviceListItem row) => [_value(row), row.MacAddress];

        public override IQueryable<DeviceListItem> Order(IQueryable<DeviceListItem> rows, bool descending, bool backward)
        {
            var down = descending != backward;
            IOrderedQueryable<DeviceListItem> ordered;
            if (_isNull is null)
            {
                ordered = down ? rows.OrderByDescending(column) : rows.OrderBy(column);
            }
            else
            {
                ordered = backward ? rows.OrderByDescending(_isNull) : rows.OrderBy(_isNull);
                ordered = down ? ordered.ThenByDescending(column) : ordered.ThenBy(column);
            }

            return backward ? ordered.ThenByDescending(d => d.MacAddress) : ordered.ThenBy(d => d.MacAddress);
        }

        public override IQueryable<DeviceListItem> Beyond(IQueryable<DeviceListItem> rows, bool descending, CursorPosition position)
        {
            var row = column.Parameters[0];
            var mac = new Holder<MacAddress>((MacAddress)position.Key[1]!);
            var tie = Compare(
                Expression.Property(row, nameof(DeviceListItem.MacAddress)), mac.Expression, greater: !position.Backward);
            if (position.Inclusive)
                tie = Expression.OrElse(tie, Expression.Equal(Expression.Property(row, nameof(DeviceListItem.MacAddress)), mac.Expression));

            Expression condition;
            if (position.Key[0] is null)
            {
                condition = position.Backward
                    ? Expression.OrElse(Expression.Not(_isNull!.Body), tie)
                    : Expression.AndAlso(_isNull!.Body, tie);
            }
            else
            {
                var value = new Holder<T>((T)position.Key[0]!).Expression;
                condition = Expression.OrElse(
                    Compare(column.Body, value, greater: descending == position.Backward),
                    Expression.AndAlso(Expression.Equal(column.Body, value), tie));
                if (_isNull is not null && !position.Backward)
                    condition = Expression.OrElse(_isNull.Body, condition);
            }

            return rows.Where(Expression.Lambda<Func<DeviceListItem, bool>>(condition, row));
        }

        private static Expression Compare(Expression left, Expression right, bool greater)
        {
            if (left.Type == typeof(IPAddress))
            {
                Expression<Func<IPAddress, IPAddress, bool>> compare = greater
                    ? (a, b) => EF.Functions.GreaterThan(a, b)
                    : (a, b) => EF.Functions.LessThan(a, b);
                return new Substitution(compare.Parameters, [left, right]).Visit(compare.Body);
            }

            if (left.Type == typeof(string))
            {
                left = Expression.Call(typeof(string), nameof(string.Compare), null, left, right);
                right = Expression.Constant(0);
            }

            return greater ? Expression.GreaterThan(left, right) : Expression.LessThan(left, right);
        }
    }

    // A member of an object becomes a parameter of the SQL; a constant would become text of it.
    private sealed class Holder<T>(T value)
    {
        public T Value { get; } = value;

        public Expression Expression => System.Linq.Expressions.Expression.Property(
            System.Linq.Expressions.Expression.Constant(this), nameof(Value));
    }
}
