using System.Linq.Expressions;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>
/// Conditions that the planner takes to hold for a third of the rows. One that follows from the way the rows are found (a
/// country from the addresses that are in it) it takes for independent of that, expects next to no rows, and reads and sorts
/// all of them instead of the first few in order.
/// </summary>
internal static class Unestimated
{
    /// <summary>The condition, as <c>booleq(…, TRUE)</c>: functions have no statistics.</summary>
    public static bool Holds(bool condition) => condition;

    /// <summary>The rows of a filter, of which its times alone are left to the planner.</summary>
    public static IQueryable<Connection> MatchingUnestimated(this IQueryable<Connection> rows, ConnectionFilter filter)
    {
        rows = rows.Between(filter.From, filter.Until);
        var conditions = Array.Empty<Connection>().AsQueryable().Matching(filter with { From = null, Until = null }).Expression;
        var row = Expression.Parameter(typeof(Connection), "c");
        Expression? all = null;
        while (conditions is MethodCallExpression { Method.Name: nameof(Queryable.Where) } where)
        {
            var condition = (LambdaExpression)((UnaryExpression)where.Arguments[1]).Operand;
            var body = new Substitution(condition.Parameters, [row]).Visit(condition.Body);
            all = all is null ? body : Expression.AndAlso(body, all);
            conditions = where.Arguments[0];
        }

        return all is null
            ? rows
            : rows.Where(Expression.Lambda<Func<Connection, bool>>(Expression.Call(((Func<bool, bool>)Holds).Method, all), row));
    }
}
