namespace StickyWs.Tests.Architecture;

/// <summary>A type that is not nested in another; a nested one goes by the type around it.</summary>
internal readonly record struct TypeName(string Assembly, string Namespace, string Name)
{
    public override string ToString() => $"{Namespace}.{Name}";
}
