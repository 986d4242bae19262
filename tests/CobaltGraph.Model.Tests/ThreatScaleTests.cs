namespace CobaltGraph.Model.Tests;

public class ThreatScaleTests
{
    [Theory]
    [InlineData(0f, ThreatLevel.Low)]
    [InlineData(1.99f, ThreatLevel.Low)]
    [InlineData(2f, ThreatLevel.Medium)]
    [InlineData(3.99f, ThreatLevel.Medium)]
    [InlineData(4f, ThreatLevel.High)]
    [InlineData(6.99f, ThreatLevel.High)]
    [InlineData(7f, ThreatLevel.Critical)]
    [InlineData(10f, ThreatLevel.Critical)]
    public void Levels_begin_at_their_thresholds(float score, ThreatLevel level)
    {
        Assert.Equal(level, ThreatScale.LevelOf(score));
        Assert.Equal(level == ThreatLevel.Critical, ThreatScale.IsThreat(score));
    }

    [Theory]
    [InlineData(-0.01f)]
    [InlineData(10.01f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Scores_off_the_scale_have_no_level(float score)
        => Assert.Throws<ArgumentOutOfRangeException>(() => ThreatScale.LevelOf(score));
}
