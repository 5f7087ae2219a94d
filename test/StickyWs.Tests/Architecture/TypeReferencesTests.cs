using StickyWs.Tests.Architecture.Samples;

namespace StickyWs.Tests.Architecture;

/// <summary>The law is worth what its reader finds: every way in which one type can refer to another.</summary>
public sealed class TypeReferencesTests
{
    private static readonly HashSet<(TypeName From, TypeName To)> References = TypeReferences.Of(typeof(TypeReferencesTests).Assembly.Location);

    [Theory]
    [InlineData(nameof(ByBase))]
    [InlineData(nameof(ByGenericInterface))]
    [InlineData(nameof(ByField))]
    [InlineData(nameof(ByGenericField))]
    [InlineData(nameof(ByArrayParameter))]
    [InlineData(nameof(ByReturn))]
    [InlineData("ByConstraint`1")]
    [InlineData(nameof(ByConstraintOfAMethod))]
    [InlineData(nameof(ByCall))]
    [InlineData(nameof(ByFieldOfTheTarget))]
    [InlineData(nameof(ByTypeOf))]
    [InlineData(nameof(ByGenericCall))]
    [InlineData(nameof(ByCatch))]
    [InlineData(nameof(ByLambda))]
    [InlineData(nameof(ByStateMachine))]
    [InlineData(nameof(ByCodeBehindASwitch))]
    [InlineData(nameof(ByValuePassedOn))]
    [InlineData(nameof(ByNestedType))]
    public void Of_TypeThatRefersToTheTarget_FindsIt(string sample) => Assert.Contains((Name(sample), Name(nameof(Target))), References);

    [Theory]
    [InlineData(nameof(ByAttribute))]
    [InlineData(nameof(ByAttributeOfAField))]
    [InlineData(nameof(ByAttributeOfAParameter))]
    public void Of_TypeWithTheAttribute_FindsIt(string sample) => Assert.Contains((Name(sample), Name(nameof(TargetAttribute))), References);

    [Fact]
    public void Of_TypeThatRefersToNeither_FindsNeither()
        => Assert.DoesNotContain(References,
            reference => reference.From == Name(nameof(Bystander)) && reference.To.Name.StartsWith("Target", StringComparison.Ordinal));

    [Fact]
    public void Of_TypeOfAnotherAssembly_NamesTheAssembly()
        => Assert.Contains((Name(nameof(Bystander)), new TypeName("xunit.v3.assert", "Xunit", "Assert")), References);

    private static TypeName Name(string name) => new("StickyWs.Tests", "StickyWs.Tests.Architecture.Samples", name);
}
