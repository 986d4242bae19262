using System.Collections;
using System.Globalization;
using System.Linq.Expressions;
using System.Net;
using System.Reflection;
using System.Runtime.InteropServices;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;

namespace CobaltGraph.Data.Queries;

/// <summary>
/// What a query is apart from the values of its variables: two queries of one form differ in nothing else. Of what is not known to
/// be so there is no form.
/// </summary>
internal sealed class QueryForm(object[] marks)
{
    [ThreadStatic]
    private static Walk? _walk;

    /// <summary>Compares forms, also with the marks of a query that are not a form of their own yet.</summary>
    public static IEqualityComparer<QueryForm> Comparer { get; } = new ByMarks();

    private object[] Marks => marks;

    /// <summary>
    /// The marks of a query, good until the next one is read by this thread, and the values of its variables in the order in
    /// which they come; null for a query that EF Core itself has to look at.
    /// </summary>
    public static object?[]? Read(Expression query, out ReadOnlySpan<object> marks)
    {
        // Of every query asked: what it takes is kept for the next one.
        var walk = _walk ??= new Walk(rewrites: false);
        walk.Begin();
        walk.Visit(query);
        var values = walk.TakeValues();
        marks = CollectionsMarshal.AsSpan(walk.Marks);
        return walk.IsStrange ? null : values;
    }

    /// <summary>A query that has a form, with parameters for the values.</summary>
    public static (Expression Body, IReadOnlyList<ParameterExpression> Parameters) Parameterize(Expression query)
    {
        var walk = new Walk(rewrites: true);
        return (walk.Visit(query)!, walk.Parameters);
    }

    private sealed class ByMarks : IEqualityComparer<QueryForm>, IAlternateEqualityComparer<ReadOnlySpan<object>, QueryForm>
    {
        public bool Equals(QueryForm? x, QueryForm? y) => x is null || y is null ? x == y : x.Marks.AsSpan().SequenceEqual(y.Marks);

        public bool Equals(ReadOnlySpan<object> alternate, QueryForm other) => alternate.SequenceEqual(other.Marks);

        public int GetHashCode(QueryForm form) => GetHashCode(form.Marks.AsSpan());

        public int GetHashCode(ReadOnlySpan<object> alternate)
        {
            var hash = default(HashCode);
            foreach (var mark in alternate)
                hash.Add(mark);
            return hash.ToHashCode();
        }

        public QueryForm Create(ReadOnlySpan<object> alternate) => new([.. alternate]);
    }

    /// <summary>Visits every node once, and notes all that makes a difference.</summary>
    private sealed class Walk(bool rewrites) : ExpressionVisitor
    {
        private static readonly object Nothing = new();
        private static readonly object Variable = new();
        private static readonly object[] Places = [.. Enumerable.Range(0, 64).Cast<object>()];
        private static readonly object[] NodeTypes = [.. Enum.GetValues<ExpressionType>().Cast<object>()];

        private readonly List<ParameterExpression> _rows = [];

        // Whether what was visited depends on rows, so that only the server can know it.
        private bool _isOpen;

        /// <summary>Whether there is something that is not known here.</summary>
        public bool IsStrange { get; private set; }

        public List<object> Marks { get; } = new(256);

        public List<object?> Values { get; } = [];

        public List<ParameterExpression> Parameters { get; } = [];

        public void Begin()
        {
            Marks.Clear();
            Values.Clear();
            _rows.Clear();
            IsStrange = _isOpen = false;
        }

        /// <summary>The values, of which nothing is kept here: they may be large.</summary>
        public object?[] TakeValues()
        {
            object?[] values = [.. Values];
            Values.Clear();
            _rows.Clear();
            return values;
        }

        public override Expression? Visit(Expression? node)
        {
            if (node is null)
            {
                Marks.Add(Nothing);
                return null;
            }

            if (IsStrange)
                return node;
            Marks.Add(NodeTypes[(int)node.NodeType]);
            Marks.Add(node.Type);
            return base.Visit(node);
        }

        protected override Expression VisitConstant(ConstantExpression node)
        {
            // Anything else may be another object every time, or hold what it refers to for good.
            if (node.Value is null or string or bool or int or long or float or double or decimal or Enum or Type or DateTimeOffset or MacAddress or IPAddress)
                Marks.Add(node.Value ?? Nothing);
            else
                IsStrange = true;
            return node;
        }

        protected override Expression VisitMember(MemberExpression node)
        {
            if (node.Member is PropertyInfo { Name: nameof(EF.Functions) } functions && functions.DeclaringType == typeof(EF))
            {
                Marks.Add(functions);
                _isOpen = true;
                return node;
            }

            if (!TryEvaluate(node, out var value))
            {
                // Such as the present, which is another every time.
                IsStrange |= node.Expression is null;
                Marks.Add(node.Member);
                var outer = Enter();
                return Leave(outer, base.VisitMember(node));
            }

            return value is not IQueryable query ? AsVariable(node, value, node.Member.Name)
                : Visit(query.Expression) is var inner && rewrites ? inner! : node;
        }

        protected override Expression VisitBinary(BinaryExpression node)
        {
            if (node.NodeType == ExpressionType.ArrayIndex && TryEvaluate(node, out var value))
                return AsVariable(node, value, "element");
            Marks.Add(node.Method ?? Nothing);
            var outer = Enter();
            return Leave(outer, base.VisitBinary(node));
        }

        protected override Expression VisitMethodCall(MethodCallExpression node)
        {
            Marks.Add(node.Method);
            // The number of rows stands in the expression itself.
            if (node.Method.DeclaringType == typeof(Queryable) && node.Method.Name is nameof(Queryable.Take) or nameof(Queryable.Skip)
                && node.Arguments is [var source, ConstantExpression { Value: int count }])
            {
                var rows = Visit(source)!;
                var variable = AsVariable(node.Arguments[1], count, "rows");
                return rewrites ? node.Update(null, [rows, variable]) : node;
            }

            // A row of values is compared with one of columns, part by part; an array is the span that it is taken for.
            if (node.Method.DeclaringType == typeof(ValueTuple) || node.Method.Name == "op_Implicit")
                return base.VisitMethodCall(node);
            var before = Enter();
            var visited = base.VisitMethodCall(node);
            IsStrange |= !_isOpen;
            return Leave(before, visited);
        }

        protected override Expression VisitUnary(UnaryExpression node)
        {
            Marks.Add(node.Method ?? Nothing);
            if (node.NodeType is ExpressionType.Convert or ExpressionType.Quote)
                return base.VisitUnary(node);
            var outer = Enter();
            return Leave(outer, base.VisitUnary(node));
        }

        protected override Expression VisitNew(NewExpression node)
        {
            Marks.Add(node.Constructor ?? Nothing);
            var outer = Enter();
            return Leave(outer, base.VisitNew(node));
        }

        protected override Expression VisitMemberInit(MemberInitExpression node)
        {
            Marks.Add(node.Bindings.Count);
            return base.VisitMemberInit(node);
        }

        protected override MemberAssignment VisitMemberAssignment(MemberAssignment node)
        {
            Marks.Add(node.Member);
            return base.VisitMemberAssignment(node);
        }

        protected override Expression VisitLambda<T>(Expression<T> node)
        {
            foreach (var parameter in node.Parameters)
                _rows.Add(parameter);
            return base.VisitLambda(node);
        }

        protected override Expression VisitParameter(ParameterExpression node)
        {
            var place = _rows.LastIndexOf(node);
            IsStrange |= place < 0;
            Marks.Add(place < Places.Length ? Places[Math.Max(place, 0)] : place);
            _isOpen = true;
            return node;
        }

        protected override Expression VisitExtension(Expression node)
        {
            // Others, such as SQL of the caller, hold values of their own.
            if (node.GetType() != typeof(EntityQueryRootExpression))
            {
                IsStrange = true;
                return node;
            }

            var root = (EntityQueryRootExpression)node;
            Marks.Add(root.EntityType);
            _isOpen = true;
            // The provider is the context's, which ends with the call.
            return rewrites ? new EntityQueryRootExpression(root.EntityType) : node;
        }

        protected override Expression VisitConditional(ConditionalExpression node)
        {
            var outer = Enter();
            return Leave(outer, base.VisitConditional(node));
        }

        protected override Expression VisitNewArray(NewArrayExpression node)
        {
            Marks.Add(node.Expressions.Count);
            var outer = Enter();
            return Leave(outer, base.VisitNewArray(node));
        }

        protected override Expression VisitTypeBinary(TypeBinaryExpression node) => Strange(node);

        protected override Expression VisitListInit(ListInitExpression node) => Strange(node);

        protected override Expression VisitInvocation(InvocationExpression node) => Strange(node);

        protected override Expression VisitIndex(IndexExpression node) => Strange(node);

        protected override Expression VisitDynamic(DynamicExpression node) => Strange(node);

        protected override Expression VisitBlock(BlockExpression node) => Strange(node);

        protected override MemberListBinding VisitMemberListBinding(MemberListBinding node)
        {
            IsStrange = true;
            return node;
        }

        protected override MemberMemberBinding VisitMemberMemberBinding(MemberMemberBinding node)
        {
            IsStrange = true;
            return node;
        }

        private Expression Strange(Expression node)
        {
            IsStrange = true;
            return node;
        }

        /// <summary>Begins what the server computes.</summary>
        private (bool IsOpen, int Variables) Enter()
        {
            var outer = (_isOpen, Values.Count);
            _isOpen = false;
            return outer;
        }

        /// <summary>Ends it. What is made of variables alone, EF Core computes before it asks.</summary>
        private Expression Leave((bool IsOpen, int Variables) outer, Expression visited)
        {
            IsStrange |= !_isOpen && Values.Count > outer.Variables;
            _isOpen |= outer.IsOpen;
            return visited;
        }

        private Expression AsVariable(Expression node, object? value, string name)
        {
            Marks.Add(Variable);
            Values.Add(value);
            if (!rewrites)
                return node;
            var parameter = Expression.Parameter(node.Type, string.Create(CultureInfo.InvariantCulture, $"{name.TrimStart('_')}_{Parameters.Count}"));
            Parameters.Add(parameter);
            return parameter;
        }

        /// <summary>The value of a field or property of what a lambda holds, of a field of a type, or of an element of such an array.</summary>
        private static bool TryEvaluate(Expression node, out object? value)
        {
            value = null;
            switch (node)
            {
                case MemberExpression { Member: FieldInfo field, Expression: null }:
                    value = field.GetValue(null);
                    return true;
                case MemberExpression { Member: FieldInfo field, Expression: ConstantExpression { Value: { } held } }:
                    value = field.GetValue(held);
                    return true;
                case MemberExpression { Member: PropertyInfo property, Expression: ConstantExpression { Value: { } held } }:
                    value = property.GetValue(held);
                    return true;
                case MemberExpression { Member: var member, Expression: { } inner } when TryEvaluate(inner, out var of) && of is not null:
                    value = member is FieldInfo part ? part.GetValue(of) : ((PropertyInfo)member).GetValue(of);
                    return true;
                case BinaryExpression { NodeType: ExpressionType.ArrayIndex, Left: var left, Right: ConstantExpression { Value: int index } }
                    when TryEvaluate(left, out var array) && array is IList list:
                    value = list[index];
                    return true;
                default:
                    return false;
            }
        }
    }
}
