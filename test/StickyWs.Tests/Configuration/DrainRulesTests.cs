using StickyWs.Configuration;

namespace StickyWs.Tests.Configuration;

public sealed class DrainRulesTests
{
    [Theory]
    [InlineData(1000, true)]
    [InlineData(1003, true)]
    [InlineData(1004, false)]
    [InlineData(1005, false)]
    [InlineData(1006, false)]
    [InlineData(1007, true)]
    [InlineData(1014, true)]
    [InlineData(1015, false)]
    [InlineData(2999, false)]
    [InlineData(3000, true)]
    [InlineData(4999, true)]
    public void CheckClose_Code_IsOneThatMayBeSent(int code, bool isGood)
    {
        List<string> errors = [];

        DrainRules.CheckClose("k", code, "", errors);

        if (isGood) Assert.Empty(errors);
        else Assert.Equal([$"k:CloseCode is '{code}': use a code that may be sent: 1000 to 1003, 1007 to 1014, or 3000 to 4999."], errors);
    }

    [Theory]
    [InlineData(61, true)]
    [InlineData(62, false)]
    public void CheckClose_Reason_IsMeasuredInBytes(int umlauts, bool isGood)
    {
        List<string> errors = [];

        DrainRules.CheckClose("k", 1012, new string('\u00fc', umlauts), errors);

        Assert.Equal(isGood, errors.Count == 0);
    }

    [Fact]
    public void Check_NoDeadline_IsNeverTooEarly()
    {
        List<string> errors = [];

        DrainRules.Check("k", new DrainOptions { Over = TimeSpan.FromHours(1), Deadline = null }, errors);
        Assert.Empty(errors);
        DrainRules.Check("k", new DrainOptions { Over = TimeSpan.FromHours(1) }, errors);
        Assert.Equal(["k:Deadline is '00:01:00': use at least 01:00:00, which is Over, or none."], errors);
    }
}
