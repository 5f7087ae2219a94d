#pragma warning disable CA1051, CA2211, CS0649 // Fields are what some of the samples are about.

namespace StickyWs.Tests.Architecture.Samples;

internal class Target : Exception
{
    public static int Number { get; set; }

    public static int Field = 1;

    public static void Call() => Number++;

    internal sealed class Nested
    {
        public static void Call() => Number++;
    }
}

[AttributeUsage(AttributeTargets.All)]
internal sealed class TargetAttribute : Attribute;

internal static class Passer
{
    public static Target? Held() => null;

    public static void Use(Target? target) => Assert.Null(target);
}

internal static class Bystander
{
    public static void Generic<T>() => Assert.NotNull(typeof(T));
}

internal sealed class ByBase : Target;

internal sealed class ByGenericInterface : IEquatable<Target>
{
    public bool Equals(Target? other) => false;

    public override bool Equals(object? obj) => false;

    public override int GetHashCode() => 0;
}

internal struct ByField
{
    internal Target? Held;
}

internal struct ByGenericField
{
    internal Dictionary<int, List<Target>>? Held;
}

internal static class ByArrayParameter
{
    public static bool Has(Target[][] targets) => targets.Length > 0;
}

internal static class ByReturn
{
    public static Target? None() => null;
}

internal sealed class ByConstraint<T>
    where T : Target;

internal static class ByConstraintOfAMethod
{
    public static bool Is<T>(T value)
        where T : Target
        => value is not null;
}

internal static class ByCall
{
    public static void Run() => Target.Call();
}

internal static class ByFieldOfTheTarget
{
    public static int Run() => Target.Field;
}

internal static class ByTypeOf
{
    public static Type Run() => typeof(Target);
}

internal static class ByGenericCall
{
    public static void Run() => Bystander.Generic<Target>();
}

internal static class ByCatch
{
    public static bool Run(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (Target)
        {
            return false;
        }
    }
}

internal static class ByLambda
{
    public static Action Run(int times) => () =>
    {
        if (times > 0) Target.Call();
    };
}

internal static class ByStateMachine
{
    public static async Task RunAsync()
    {
        await Task.Yield();
        Target.Call();
    }
}

internal static class ByCodeBehindASwitch
{
    public static double Run(int number)
    {
        var result = number switch
        {
            0 => 0.5,
            1 => 1L << 40,
            2 => 17,
            3 => 1_000_000,
            4 => 4,
            _ => 0,
        };
        Target.Call();
        return result;
    }
}

internal static class ByValuePassedOn
{
    public static void Run() => Passer.Use(Passer.Held());
}

internal static class ByNestedType
{
    public static void Run() => Target.Nested.Call();
}

[Target]
internal sealed class ByAttribute;

internal struct ByAttributeOfAField
{
    [Target]
    internal object? Held;
}

internal static class ByAttributeOfAParameter
{
    public static bool Run([Target] int number) => number > 0;
}
